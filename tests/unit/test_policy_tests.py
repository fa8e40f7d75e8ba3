"""Policy tests of a site: reading them, running them, and refusing what breaks one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gslb import policy_tests as subject
from gslb._dataplane import DataPlane
from gslb.cli.check import check_site
from gslb.cli.main import app
from gslb.cli.test import run_site
from gslb.compile import compile_site
from gslb.config.policy_tests import ExpectForm, PolicyTestForm, load_policy_tests
from gslb.errors import InvalidChangeError, SiteError
from gslb.model.change import Overlay
from gslb.model.policy_test import Client
from gslb.model.site import LatencyRow, LocationKind
from gslb.publish import Publisher
from gslb.zones.site import inspect_site
from tests.unit.sites import SITE, write_site

GEO = str(Path(__file__).parents[2] / "geo_fixtures/build/city.mmdb")
EXAMPLE = Path(__file__).parents[2] / "zones"
BY_COUNTRY = f"""\
pops: {{fra: , ams: , sin: }}
geo: {{databases: [{GEO}]}}
pools:
  web:
    when_all_down: nodata
    unknown_counts: down
    endpoints:
      - {{pop: fra, address: 192.0.2.1}}
      - {{pop: ams, address: 192.0.2.2}}
      - {{pop: sin, address: 192.0.2.3}}
policies:
  near:
    - geo: {{country: {{DE: [fra, ams]}}, default: [sin]}}
    - take: 1
names:
  www.example.com: {{pool: web, policy: near, ttl: 20}}
"""


def test_file(*tests):
    return "tests:\n" + "".join(f"  - {json.dumps(test)}\n" for test in tests)


test_file.__test__ = False


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(*tests, site=BY_COUNTRY):
        directory = write_site(tmp_path / "site", site=site)
        (directory / "tests.yaml").write_text(test_file(*tests))
        return directory

    return write


def problems(directory):
    return [
        finding.message for finding in check_site(directory).findings if finding.rule == "site-test-failed"
    ]


def test(**settings):
    return {"ask": "www.example.com", **settings}


test.__test__ = False

DE, SINGAPORE = {"country": "DE"}, {"country": "SG"}


@pytest.mark.parametrize(
    "settings",
    [
        {"client": DE, "expect": {"pops": ["fra"], "ttl": 20, "rcode": "NOERROR"}},
        {"client": DE, "down": ["fra"], "expect": {"pops": ["ams"]}},
        {"client": DE, "down": ["web/fra"], "expect": {"records": ["192.0.2.2"]}},
        {"client": DE, "drain": ["fra", "ams"], "expect": {"among": ["sin"], "never": ["fra"]}},
        {"client": SINGAPORE, "expect": {"pops": "sin"}},
        {"client": "203.0.113.7", "expect": {"pops": ["sin"]}},
        {"client": {"subnet": "203.0.113.0/24"}, "expect": {"pops": ["sin"]}},
        {
            "client": "203.0.113.7",
            "down": ["fra", "ams", "sin"],
            "expect": {"records": [], "rcode": "NOERROR"},
        },
        {"ask": "nowhere.example.com.", "client": "::1", "expect": {"rcode": "NXDOMAIN", "scope": 0}},
        {"ask": "alias.example.com", "client": DE, "expect": {"pops": ["fra"]}},
        {"ask": "example.com", "type": "NS", "client": DE, "expect": {"records": ["ns1.example.com."]}},
    ],
)
def test_what_is_so_passes(site, settings):
    assert problems(site(test(**settings))) == []


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ({"pops": ["ams"]}, "must get ams"),
        ({"among": ["ams", "sin"]}, "must get nothing but ams and sin"),
        ({"never": ["fra"]}, "must never get fra"),
        ({"records": []}, "must get no records"),
        ({"rcode": "NXDOMAIN"}, "the response code must be NXDOMAIN, not NOERROR"),
        ({"ttl": 21}, "the TTL must be 21, not 20"),
        ({"scope": 0}, "the scope must be /0, not /"),
    ],
)
def test_what_is_not_so_fails_and_says_who_gets_what(site, expect, message):
    directory = site(test(title="near", client=DE, drain=["ams"], expect=expect))
    (problem,) = problems(directory)
    assert problem.startswith("test near: a client at country DE (")
    assert "with ams drained gets 192.0.2.1 (fra), but " + message in problem
    (finding,) = check_site(directory).findings[-1:]
    assert str(finding.place).startswith("site/tests.yaml:2")


def test_a_location_that_no_database_knows_fails(site):
    (problem,) = problems(site(test(client={"country": "AQ"}, expect={"pops": ["sin"]})))
    assert "no geo database of the site knows country AQ" in problem


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "lacks the key 'client'"),
        ({"client": DE}, "lacks the key 'expect'"),
        ({"client": DE, "expect": {}}, "expects nothing"),
        ({"client": DE, "expect": {"pops": ["frankfurt"]}}, "unknown POP 'frankfurt'"),
        ({"client": DE, "down": ["web/iad"], "expect": {"pops": ["fra"]}}, "unknown POP 'web/iad'"),
        ({"client": DE, "drain": ["fr"], "expect": {"pops": ["fra"]}}, "did you mean"),
        ({"client": {"city": "Bonn"}, "expect": {"pops": ["fra"]}}, "not 'city'"),
        ({"client": {"country": "Germany"}, "expect": {"pops": ["fra"]}}, "is no country code"),
        ({"client": "everyone", "expect": {"pops": ["fra"]}}, "must be an address"),
        ({"client": DE, "type": "AX", "expect": {"pops": ["fra"]}}, "must be a record type"),
        ({"client": DE, "expect": {"rcode": "OK"}}, "must be NOERROR"),
        ({"client": DE, "expect": {"ttl": -1}}, "ttl of expect of test"),
        ({"client": DE, "load": {"fra": "high"}, "expect": {"pops": ["fra"]}}, "must be a number"),
        ({"ask": "no..name", "client": DE, "expect": {"pops": ["fra"]}}, "must be a name"),
        ({"client": DE, "expect": {"pops": ["fra"]}, "extra": 1}, "unknown key 'extra'"),
    ],
)
def test_mistakes_are_found_with_their_place(site, settings, message):
    findings = [
        finding for finding in inspect_site(site(test(**settings))).findings if "error" in str(finding)
    ]
    assert message in "\n".join(str(finding) for finding in findings)
    assert all(finding.place.file == "site/tests.yaml" and finding.place.line for finding in findings)


@pytest.mark.parametrize("text", ["tests: 5", "- 1", "other: []", "tests: [", "tests:\n  - 7"])
def test_a_file_that_is_no_list_of_tests_is_an_error(site, text):
    directory = site()
    (directory / "tests.yaml").write_text(text)
    assert inspect_site(directory).site is None


def test_tests_of_directories_below_count_too(site):
    directory = site(test(client=DE, expect={"pops": ["fra"]}))
    (directory / "team").mkdir()
    (directory / "team/tests.yml").write_text(
        test_file(test(title="below", client=DE, expect={"pops": ["ams"]}))
    )
    loaded = inspect_site(directory).site
    assert len(load_policy_tests(directory, loaded.steering)[0]) == 2
    assert len(problems(directory)) == 1


def test_the_command_says_how_each_went(site):
    good, bad = (
        test(title="good", client=DE, expect={"pops": "fra"}),
        test(title="bad", client=DE, expect={"ttl": 9}),
    )
    directory = str(site(good, bad))
    result = CliRunner().invoke(app, ["test", directory])
    assert result.exit_code == 1
    assert "ok   good (" in result.output
    assert "FAIL bad (" in result.output
    assert "site/tests.yaml:3" in result.output
    assert "2 tests, 1 failed" in result.output
    rows = json.loads(CliRunner().invoke(app, ["test", directory, "--json"]).output)
    assert [(row["title"], row["passed"]) for row in rows] == [("good", True), ("bad", False)]
    assert CliRunner().invoke(app, ["test", str(EXAMPLE)]).exit_code == 0


def test_no_tests_are_no_success(site):
    assert CliRunner().invoke(app, ["test", str(site())]).exit_code == typer.Exit(1).exit_code


def test_what_does_not_compile_is_told_as_check_tells_it(site):
    directory = site(test(client=DE, expect={"pops": "fra"}), site=BY_COUNTRY.replace(GEO, "broken.mmdb"))
    (directory / "broken.mmdb").write_bytes(b"not a database")
    zone = directory / "example.com.zone"
    zone.write_text(zone.read_text() + "".join(f'big IN TXT "{n:0200}"\n' for n in range(400)))
    result = CliRunner().invoke(app, ["test", str(directory), "--json"])
    assert (result.exit_code, result.stdout) == (1, "")
    *found, last = result.stderr.splitlines()
    assert last == "gslb: the site does not load; correct the errors first"
    assert "site/broken.mmdb: error: " in result.stderr
    assert "[zone-rrset-too-large]" in result.stderr
    assert found == CliRunner().invoke(app, ["check", str(directory)]).stdout.splitlines()[: len(found)]


@pytest.mark.parametrize("form", [PolicyTestForm, ExpectForm])
def test_the_guide_names_every_key(form):
    guide = (EXAMPLE.parent / "docs/guide/policy-tests.md").read_text(encoding="utf-8")
    assert [key for key in form.__annotations__ if f"| `{key}` |" not in guide] == []


def test_the_example_of_the_guide_is_read_and_passes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    guide = (EXAMPLE.parent / "docs/guide/policy-tests.md").read_text(encoding="utf-8")
    (tmp_path / "tests.yaml").write_text(guide.partition("```yaml\n")[2].partition("```")[0])
    site = inspect_site(EXAMPLE).site
    tests, findings = load_policy_tests(tmp_path, site.steering)
    assert (len(tests), findings) == (1, ())
    assert [outcome.problem for outcome in run_site(dataclasses.replace(site, tests=tests))] == [""]


class CountingSteering:
    """A compiled steering that records the looks for examples."""

    def __init__(self, steering):
        self._steering, self.looks = steering, []

    def examples(self, *asked):
        self.looks.append(asked)
        return self._steering.examples(*asked)


def test_examples_of_all_locations_are_looked_for_once(site):
    loaded = inspect_site(
        site(
            *(test(client=DE, drain=[pop], expect={"never": [pop]}) for pop in ("fra", "ams", "sin")),
            test(client=SINGAPORE, expect={"pops": "sin"}),
        )
    ).site
    compiled = compile_site(loaded)
    steering = CountingSteering(compiled.steering)
    clients = [one.client for one in loaded.tests]
    assert {location: len(found) for location, found in subject._examples(clients, steering).items()} == {
        ("country", "DE"): 3,
        ("country", "SG"): 1,
    }
    assert steering.looks == [([("country", "DE"), ("country", "SG")], 64)]
    assert subject._examples([Client(address="192.0.2.1")], steering) == {}
    assert len(steering.looks) == 1


def test_answers_are_read_once_whoever_gets_them(site, monkeypatch):
    reads = []
    from_wire = subject.dns.message.from_wire
    monkeypatch.setattr(subject.dns.message, "from_wire", lambda wire: reads.append(wire) or from_wire(wire))
    directory = site(
        test(client="203.0.113.7", expect={"pops": ["sin"]}),
        test(client="203.0.113.8", expect={"pops": "sin"}),
        test(client="203.0.113.8", drain=["sin"], expect={"pops": ["sin"]}),
        test(client="203.0.113.8", drain=["sin"], expect={"pops": ["fra"]}),
    )
    run_site(inspect_site(directory).site)
    assert len(reads) == 2


def test_errors_number_the_tests_as_the_file_does(site):
    good, bad = test(client=CLIENT, expect={"pops": ["fra"]}), test(client=CLIENT, expect={})
    directory = site(good, bad, bad, good, bad)
    messages = [finding.message for finding in inspect_site(directory).findings]
    found = [message.split(" expects")[0] for message in messages if "expects nothing" in message]
    assert found == ["test 2", "test 3", "test 5"]


ECS = bytes.fromhex("000800080001201b")


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (b"answer" + ECS + b"\xc0\0\2\1", b"answer" + ECS),
        (b"answer" + ECS + b"\xc0\0\2\2", b"answer" + ECS + b"\xc0\0\2\2"),
        (b"an A record without any option \xc0\0\2\1", b"an A record without any option \xc0\0\2\1"),
        (b"\xc0\0\2\1", b"\xc0\0\2\1"),
    ],
)
def test_only_the_address_of_a_client_subnet_option_is_left_out_of_account(reply, told):
    assert subject._without_client(reply, b"\xc0\0\2\1") == told


def record_runs(monkeypatch):
    """The names that policy tests ask for from now on."""
    ran = []
    run = subject.run_policy_tests

    def run_and_record(tests, *rest):
        ran.extend(test.ask for test in tests)
        return run(tests, *rest)

    monkeypatch.setattr(subject, "run_policy_tests", run_and_record)
    return ran


class TestPublishing:
    """A publish that breaks a test is refused, and what was published stays."""

    @staticmethod
    async def publisher(directory):
        publisher = Publisher(directory, DataPlane(seed=1))
        prepared = await publisher.prepare_site(Overlay())
        publisher.commit_site(prepared, bytes(3))
        return publisher, prepared

    async def test_a_reload(self, site):
        publisher, _ = await self.publisher(site(test(client=DE, expect={"pops": ["fra"]})))
        site(
            test(client=DE, expect={"pops": ["fra"]}), site=BY_COUNTRY.replace("DE: [fra, ams]", "DE: [ams]")
        )
        with pytest.raises(SiteError, match="must get fra"):
            await publisher.prepare_site(Overlay())

    async def test_before_there_is_anything_better_they_only_warn(self, site):
        _, prepared = await self.publisher(site(test(client=DE, expect={"pops": ["ams"]})))
        assert [finding.severity for finding in prepared.findings if finding.rule == "site-test-failed"] == [
            "warning"
        ]

    async def test_a_change_of_records(self, site):
        directory = site(test(ask="alias.example.com", client=DE, expect={"pops": ["fra"]}))
        publisher, _ = await self.publisher(directory)
        other = ("alias.example.com.", 5, 60, [b"\3ns1\7example\3com\0"])
        with pytest.raises(
            InvalidChangeError, match=r"policy tests refuse this: site/tests.yaml:2"
        ) as caught:
            await publisher.prepare_zone_change("example.com.", [other])
        (finding,) = caught.value.findings
        assert (finding.rule, finding.place.file, finding.place.line) == (
            "site-test-failed",
            "site/tests.yaml",
            2,
        )
        same = ("alias.example.com.", 5, 61, [b"\3www\7example\3com\0"])
        await publisher.prepare_zone_change("example.com.", [same])

    async def test_only_tests_that_a_change_of_records_can_concern_run_again(self, site, monkeypatch):
        asked = [
            ("www.example.com", "A"),
            ("alias.example.com", "A"),
            ("ns1.example.com", "A"),
            ("example.com", "SOA"),
        ]
        directory = site(
            *(test(ask=name, type=rtype, client=DE, expect={"rcode": "NOERROR"}) for name, rtype in asked)
        )
        publisher, _ = await self.publisher(directory)
        ran = record_runs(monkeypatch)

        async def change(owner, rtype, *rdata):
            ran.clear()
            changes = [(f"{owner}.example.com.", rtype, 60, list(rdata))]
            publisher.commit_zone_change(await publisher.prepare_zone_change("example.com.", changes))
            return set(ran)

        assert await change("other", 16, b"\1x") == {"example.com."}
        assert await change("www", 16, b"\1x") == {"example.com.", "www.example.com.", "alias.example.com."}
        assert await change("below.ns1", 16, b"\1x") == {"example.com.", "ns1.example.com."}
        moved = await change("alias", 5, b"\3ns1\7example\3com\0")
        assert moved == {"example.com.", "alias.example.com."}
        assert await change("www", 16) == {"example.com.", "www.example.com."}
        assert await change("ns1", 1, b"\xc0\0\2\7") == {
            "example.com.",
            "ns1.example.com.",
            "alias.example.com.",
        }

    async def test_measurements_concern_only_names_that_are_steered_by_them(self, site, monkeypatch):
        policies = SITE.replace("names:\n", "names:\n  fixed.example.com: {pool: web, policy: fixed}\n")
        policies = policies.replace("fallback", "nodata").replace(
            "policies:\n", "policies:\n  fixed: [failover: [fra, ams, sin]]\n"
        )
        asked = ("www", "alias", "fixed", "ns1")
        tests = [
            test(ask=f"{name}.example.com", client=CLIENT, expect={"rcode": "NOERROR"}) for name in asked
        ]
        publisher, _ = await self.publisher(site(*tests, site=policies))
        ran = record_runs(monkeypatch)
        await publisher.prepare_latency([LatencyRow(kind=LocationKind.DEFAULT, pop="sin", milliseconds=50)])
        assert ran == ["www.example.com.", "alias.example.com."]

    async def test_measurements(self, site):
        directory = site(test(client="192.0.2.9", expect={"pops": ["ams", "fra"]}), site=SITE)
        publisher, _ = await self.publisher(directory)
        nearer = LatencyRow(kind=LocationKind.DEFAULT, pop="sin", milliseconds=1)
        with pytest.raises(InvalidChangeError, match="must get ams and fra"):
            await publisher.prepare_latency([nearer])
        await publisher.prepare_latency([nearer.model_copy(update={"milliseconds": 50})])


BY_LOAD = """\
pops: {fra: , ams: }
pools:
  web:
    when_all_down: last_good
    endpoints:
      - {pop: fra, address: 192.0.2.1}
      - {pop: ams, address: 192.0.2.2}
  cdn:
    endpoints:
      - {pop: fra, cname: customer.cdn-one.example.}
      - {pop: ams, cname: Customer.cdn-two.example.}
  mail:
    endpoints:
      - {pop: fra, records: {MX: ["10 mx1.example.net."], TXT: ["v=spf1 -all"]}}
      - {pop: ams, records: {MX: ["10 mx2.example.net."], TXT: ["v=spf1 -all"]}}
policies:
  ordered: [failover: [fra, ams], shed: {low: 0.5, high: 0.8}]
names:
  www.example.com: {pool: web, policy: ordered}
  cdn.example.com: {pool: cdn, policy: ordered}
  mail.example.com: {pool: mail, policy: ordered}
"""
CLIENT = "198.51.100.7"


def test_supposed_loads_shed(site):
    directory = site(
        {"ask": "www.example.com", "client": CLIENT, "expect": {"pops": "fra"}},
        {"ask": "www.example.com", "client": CLIENT, "load": {"fra": 0.9}, "expect": {"pops": "ams"}},
        {"ask": "www.example.com", "client": CLIENT, "load": {"fra": 0.4}, "expect": {"pops": "fra"}},
        {"ask": "www.example.com", "client": CLIENT, "load": {"fra": 0.9}, "expect": {"pops": "fra"}},
        site=BY_LOAD,
    )
    (problem,) = problems(directory)
    assert problem.endswith("with fra at load 0.9 gets 192.0.2.2 (ams), but must get fra")


def test_pops_of_cnames_and_declared_records(site):
    directory = site(
        {"ask": "cdn.example.com", "client": CLIENT, "expect": {"pops": "fra"}},
        {
            "ask": "cdn.example.com",
            "client": CLIENT,
            "down": ["fra"],
            "expect": {"pops": "ams", "never": "fra"},
        },
        {
            "ask": "cdn.example.com",
            "type": "CNAME",
            "client": CLIENT,
            "expect": {"records": ["customer.cdn-one.example."], "pops": "fra"},
        },
        {"ask": "mail.example.com", "type": "MX", "client": CLIENT, "expect": {"pops": "fra"}},
        {
            "ask": "mail.example.com",
            "type": "MX",
            "client": CLIENT,
            "drain": ["fra"],
            "expect": {"pops": "ams"},
        },
        {"ask": "mail.example.com", "type": "TXT", "client": CLIENT, "expect": {"pops": ["fra", "ams"]}},
        site=BY_LOAD,
    )
    assert check_site(directory).is_usable, check_site(directory).findings


CHOSEN = """\
pops: {fra: , ams: , iad: }
pools:
  geo:
    when_all_down: fallback
    endpoints: [{pop: ams, address: 192.0.2.2}, {pop: ams, address: "2001:db8::2"}]
  other:
    when_all_down: nodata
    endpoints: [{pop: iad, address: 192.0.2.2}]
  away:
    when_all_down: nodata
    endpoints: [{pop: iad, cname: geo.example.com.}]
policies: {ordered: [failover: [fra, ams, iad]]}
names:
  geo.example.com: {pool: geo, policy: ordered}
  other.example.com: {pool: other, policy: ordered}
  cdn.example.com: {pool: away, policy: ordered}
  "*.any.example.com": {pool: geo, policy: ordered}
"""
CHOSEN_ZONE = """\
$TTL 300
@ SOA ns1 hostmaster 10 7200 1800 1209600 300
@ NS ns1
ns1 A 192.0.2.2
@ ALIAS geo
@ HTTPS 1 geo ipv4hint=192.0.2.2
*.w CNAME geo
geo A 192.0.2.2
geo HTTPS 1 . alpn=h2 ipv4hint=192.0.2.77 ipv6hint=2001:db8::77
*.any A 192.0.2.9
"""


@pytest.mark.parametrize(
    ("ask", "asked", "pops"),
    [
        ("geo", {}, "ams"),
        ("other", {}, "iad"),
        ("x.w", {}, "ams"),
        ("x.w", {"type": "CNAME"}, ""),
        ("cdn", {}, "ams iad"),
        ("cdn", {"type": "CNAME"}, "iad"),
        ("x.any", {}, "ams"),
        ("", {}, "ams"),
        ("ns1", {}, ""),
        ("geo", {"down": ["ams"]}, ""),
        ("x.any", {"down": ["ams"]}, ""),
        ("geo", {"type": "HTTPS"}, "ams"),
        ("x.w", {"type": "HTTPS"}, "ams"),
        ("geo", {"type": "HTTPS", "down": ["ams"]}, ""),
        ("", {"type": "HTTPS"}, ""),
    ],
)
def test_records_are_of_the_pops_that_steering_chose(tmp_path, monkeypatch, ask, asked, pops):
    monkeypatch.chdir(tmp_path)
    directory = write_site(tmp_path / "site", zone=CHOSEN_ZONE, site=CHOSEN)
    expect = {"pops": pops.split()} if pops else {"rcode": "NOERROR", "never": ["fra", "ams", "iad"]}
    one = {"ask": f"{ask}.example.com".lstrip("."), "client": CLIENT, **asked, "expect": expect}
    (directory / "tests.yaml").write_text(test_file(one))
    assert check_site(directory).is_usable, check_site(directory).findings


def test_before_the_conditions_everything_served(site):
    directory = site(
        {"ask": "www.example.com", "client": CLIENT, "down": ["fra", "ams"], "expect": {"pops": "fra"}},
        {
            "ask": "www.example.com",
            "client": CLIENT,
            "down": ["fra", "ams"],
            "drain": ["fra"],
            "expect": {"pops": "ams"},
        },
        site=BY_LOAD,
    )
    assert check_site(directory).is_usable, check_site(directory).findings


OUTSIDE = """\
$TTL 300
@ SOA ns1 hostmaster 10 7200 1800 1209600 300
@ NS ns1
ns1 A 192.0.2.53
@ ALIAS cdn.example.net.
www ALIAS away
away CNAME cdn.example.org.
alias CNAME www
spare ALIAS cdn.example.net.
spare A 192.0.2.9
inside ALIAS ns1
*.wild ALIAS cdn.example.com.example.
"""
RESOLVER = "resolver: {nameservers: 192.0.2.53}\n"


def outside(tmp_path, *tests, site=RESOLVER):
    """Messages of the tests that fail, of a site whose ALIAS records lead out of it."""
    directory = write_site(tmp_path / "site", zone=OUTSIDE, site=site)
    asked = [{"client": CLIENT, **one} for one in tests]
    (directory / "tests.yaml").write_text(test_file(*asked))
    return problems(directory)


@pytest.mark.parametrize("rtype", ["A", "AAAA"])
@pytest.mark.parametrize(
    ("ask", "target"),
    [
        ("example.com", "cdn.example.net"),
        ("www.example.com", "cdn.example.org"),
        ("alias.example.com", "cdn.example.org."),
        ("spare.example.com", "cdn.example.net"),
        ("any.wild.example.com", "cdn.example.com.example"),
    ],
)
def test_an_alias_out_of_the_site_is_told_by_its_target(tmp_path, ask, target, rtype):
    right = {"ask": ask, "type": rtype, "expect": {"alias": target, "rcode": "NOERROR", "scope": 0}}
    wrong = {"ask": ask, "type": rtype, "expect": {"alias": "elsewhere.example."}}
    (problem,) = outside(tmp_path, right, wrong)
    end = f"gets the addresses of {target.removesuffix('.')}. by ALIAS, but must get the addresses of "
    assert end + "elsewhere.example. by an ALIAS that leads out of the site" in problem


@pytest.mark.parametrize(
    "expect",
    [{"records": ["192.0.2.9"]}, {"records": []}, {"ttl": 300}, {"alias": "cdn.example.net", "ttl": 1}],
)
def test_what_only_a_resolver_knows_cannot_be_expected(tmp_path, expect):
    (problem,) = outside(tmp_path, {"ask": "spare.example.com", "expect": expect})
    assert (
        "gets the addresses of cdn.example.net. by ALIAS, but what these are only the resolver knows"
        in problem
    )
    assert "expect alias: cdn.example.net." in problem


def test_an_alias_within_the_site_is_followed_to_its_addresses(tmp_path):
    inside = {"ask": "inside.example.com", "expect": {"records": ["192.0.2.53"], "ttl": 300}}
    (problem,) = outside(
        tmp_path, inside, {"ask": "inside.example.com", "expect": {"alias": "ns1.example.com"}}
    )
    assert "gets 192.0.2.53 (no POP), but must get the addresses of ns1.example.com. by" in problem


@pytest.mark.parametrize(("names", "expect"), [(15, {"alias": "example.net"}), (16, {"records": []})])
def test_an_alias_is_followed_out_of_the_site_as_far_as_within_it(tmp_path, names, expect):
    chain = "".join(f"n{number} CNAME n{number + 1}\n" for number in range(1, names))
    zone = f"{OUTSIDE}far ALIAS n1\n{chain}n{names} CNAME example.net.\n"
    directory = write_site(tmp_path / "site", zone=zone, site=RESOLVER)
    (directory / "tests.yaml").write_text(
        test_file({"ask": "far.example.com", "client": CLIENT, "expect": expect})
    )
    assert problems(directory) == []


def test_without_a_resolver_an_alias_out_of_the_site_answers_as_in_the_server(tmp_path):
    tests = (
        {"ask": "example.com", "expect": {"rcode": "SERVFAIL"}},
        {"ask": "spare.example.com", "expect": {"records": ["192.0.2.9"]}},
    )
    assert outside(tmp_path, *tests, site="") == []


MULTI_CDN = f"""\
pops: {{fra: , ams: }}
geo: {{databases: [{GEO}]}}
{RESOLVER}
pools:
  cdn:
    when_all_down: servfail
    endpoints: [{{pop: fra, cname: cdn1.example.net.}}, {{pop: ams, cname: cdn2.example.org.}}]
policies:
  near:
    - geo: {{country: {{DE: [fra, ams]}}, default: [ams]}}
    - take: 1
names:
  www.example.com: {{pool: cdn, policy: near, ttl: 20}}
"""


@pytest.mark.parametrize(
    ("settings", "alias"),
    [
        ({"client": {"country": "DE"}}, "cdn1.example.net"),
        ({"client": {"country": "DE"}, "down": ["fra"]}, "cdn2.example.org"),
        ({"client": {"country": "SG"}}, "cdn2.example.org"),
    ],
)
def test_an_alias_that_steering_leads_out_of_the_site_is_told_by_its_target(tmp_path, settings, alias):
    zone = OUTSIDE.replace("www ALIAS away\n", "").replace("@ ALIAS cdn.example.net.", "@ ALIAS www")
    directory = write_site(tmp_path / "site", zone=zone, site=MULTI_CDN)
    asked = {"ask": "example.com", **settings}
    right = {**asked, "expect": {"alias": alias, "rcode": "NOERROR"}}
    wrong = {**asked, "expect": {"alias": "cdn.example.net"}}
    (directory / "tests.yaml").write_text(test_file(right, wrong))
    (problem,) = problems(directory)
    assert f"gets the addresses of {alias}. by ALIAS, but must get the addresses of cdn." in problem
