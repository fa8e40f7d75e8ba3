"""Running the tests of a site: what passes, what fails, and what it costs."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from gslb import policy_tests as subject
from gslb.cli.check import check_site
from gslb.cli.main import app
from gslb.cli.test import run_site
from gslb.compile import compile_site
from gslb.model.policy_test import Client
from gslb.zones.site import inspect_site
from tests.unit.policy_tests.sites import (
    BY_COUNTRY,
    DE,
    EXAMPLE,
    GEO,
    SINGAPORE,
    problems,
    test,
)


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


@pytest.mark.parametrize("turn", [1, -1])
def test_a_last_resort_like_an_endpoint_of_others_is_of_no_pop(site, turn):
    """Both clients get the same reply: the one by steering, the other since the policy leaves it nothing."""
    fenced = BY_COUNTRY.replace("nodata", "fallback").replace("ttl: 20", "ttl: 300, client_subnet: false")
    fenced = fenced.replace(
        "{country: {DE: [fra, ams]}, default: [sin]}", "{mode: fence, country: {DE: [fra, ams]}}"
    )
    zone = "$TTL 300\n@ SOA ns1 hostmaster 10 7200 1800 1209600 300\n@ NS ns1\nns1 A 192.0.2.53\n"
    tests = [
        test(client=DE, expect={"pops": ["fra"], "records": ["192.0.2.1"]}),
        test(client=SINGAPORE, expect={"never": ["fra"], "records": ["192.0.2.1"]}),
    ]
    directory = site(*tests[::turn], site=fenced)
    (directory / "example.com.zone").write_text(f"{zone}www A 192.0.2.1\n")
    assert problems(directory) == []


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
