"""What a server leaves to be seen: metrics, its state directory, the site."""

import signal
import stat

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.site import AMS, GERMANY
from tests.e2e.waiting import eventually


def scrape(server):
    """Every sample as {(name, values of its labels in the order of their names): value}."""
    reply = server.api("GET", "/metrics", headers={})
    assert (reply.status, reply.headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def test_metrics_count_what_happened(server):
    before = scrape(server)
    for _ in range(3):
        server.ask("www.example.com", subnet=GERMANY)
    server.ask("nobody.example.com")
    server.ask("ns1.example.com", transport="tcp")
    server.ask("www.example.org", transport="tcp")
    server.done("POST", "/v1/pops/fra/drain", {"reason": "test"})
    server.done("POST", "/v1/reload")
    after = scrape(server)

    def grew(*key):
        return after[key] - before[key]

    assert grew("gslb_queries_total", "udp") == 4
    assert grew("gslb_queries_total", "tcp") == 2
    assert grew("gslb_responses_total", "NOERROR") == 4
    assert grew("gslb_responses_total", "NXDOMAIN") == 1
    assert grew("gslb_responses_total", "REFUSED") == 1
    assert grew("gslb_steered_total") == 3
    assert grew("gslb_ecs_queries_total") == 3
    assert grew("gslb_tcp_connections_total") == 2
    assert grew("gslb_reloads_total", "success") == 1
    assert grew("gslb_generation") >= 2
    assert (before["gslb_pop_drained", "fra"], after["gslb_pop_drained", "fra"]) == (0, 1)
    assert after["gslb_endpoints", "web", "fra", "drained"] == 2
    assert after["gslb_zone_serial", "example.com."] == 2026010101
    assert after[("gslb_panics_total",)] == 0
    eventually(lambda: scrape(server)["gslb_probes_total", "well", "success"] >= 3, "probes are counted")


def test_the_state_directory_is_its_owners_alone_and_the_token_nowhere_else(server):
    server.command("pops")
    server.command("drain", "fra", "--reason", "test")

    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(server.state) == 0o700
    assert {path.name: mode(path) for path in server.state.iterdir() if mode(path) != 0o600} == {}
    token = server.token()
    assert len(token) >= 32
    server.kill()
    server.start()
    assert server.token() == token
    assert token not in server.log()


def test_the_site_is_never_written_to(server, site):
    before = site.digest()
    server.done("POST", "/v1/pops/fra/drain", {"reason": "test"})
    change = {"name": "version", "type": "TXT", "ttl": 5, "records": ['"from the API"']}
    server.done("PATCH", "/v1/zones/example.com/rrsets", {"rrsets": [change]})
    latency = {"rows": [{"location": "country:DE", "pop": "fra", "ms": 12.5}]}
    server.done("PATCH", "/v1/latency", latency)
    server.done("POST", "/v1/reload")
    server.kill()
    server.start()
    assert server.address("www.example.com", GERMANY) == AMS
    server.signal(signal.SIGHUP)
    assert server.stop() == 0
    assert site.digest() == before
