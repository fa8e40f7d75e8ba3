"""What ``gslb explain`` prints, from what the real data plane explains."""

from __future__ import annotations

import json
import os
import pty
import re
from datetime import timedelta
from random import Random

import pytest
from structlog.testing import capture_logs

from gslb._dataplane import DataPlane
from gslb.aliases.flattener import Flattener
from gslb.api.what_if import WhatIfQuery
from gslb.cli.explain import explain
from gslb.cli.what_if import WhatIf
from gslb.health.checker import Checker
from gslb.operations.operations import Operations
from gslb.operations.zone_changes import RequestedRRset
from gslb.publish import Publisher
from gslb.store.store import Store
from tests.unit.fakes import FakeClock, FakeProber
from tests.unit.sites import SITE, write_site


class Local:
    """A client that asks operations in this process."""

    def __init__(self, operations):
        self.operations = operations

    def get(self, path, **query):
        what_if = {key: query.pop(key) for key in ("down", "drain", "load", "at")}
        supposed = WhatIfQuery(**{key: text for key, text in what_if.items() if text is not None})
        report = self.operations.explain(
            query["name"], query["type"], query["client"], query["subnet"], supposed.suppositions()
        )
        return json.loads(report.model_dump_json())


@pytest.fixture
async def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    site = write_site(tmp_path / "site")
    (tmp_path / "state").mkdir()
    clock = FakeClock()
    store = await Store.open(tmp_path / "state")
    prober = FakeProber(clock)
    prober.failing = {"192.0.2.3:80"}
    checker = Checker(prober, clock, randomness=Random(1))
    publisher = Publisher(site, DataPlane(seed=1))
    flattener = Flattener(publisher.publish_flattened, clock)
    operations = Operations(publisher, store, checker, flattener, clock, version="1")
    operations.site, operations.prober, operations.clock = site, prober, clock
    operations.publisher = publisher
    with capture_logs():
        await operations.start()
        await clock.advance(40)
        yield operations
        await operations.stop()
        await checker.stop()
        await store.close()


@pytest.fixture
def show(world, capsys):
    def lines(name, rtype="A", *, address="198.51.100.1", subnet=None, **what_if):
        supposed = WhatIf(**{"down": (), "drain": (), "load": {}, "at": None, **what_if})
        explain(Local(world), name, rtype, address=address, subnet=subnet, what_if=supposed, as_json=False)
        return capsys.readouterr().out.splitlines()

    return lines


async def test_a_steered_answer(world, show):
    await world.drain("fra", "hw", "ana", None)
    lines = [
        re.sub("since [-0-9]+ [:0-9]+Z", "since YYYY-MM-DD HH:MM:SSZ", line)
        for line in show("www.example.com")
    ]
    assert lines == [
        "question    www.example.com. A from 198.51.100.1",
        f"generation  {world.status().generation}",
        "zone        example.com. serial 10",
        "name        www.example.com. exists in the zone",
        "client      198.51.100.1: not in the geo databases",
        "steered     www.example.com. (site/site.yaml:18)",
        "pool        web (site/site.yaml:4)",
        "policy      measured (site/site.yaml:12)",
        "health      available: 1 healthy, 1 needed",
        "class       the only location class; decided alike for every client in 0.0.0.0/0",
        "",
        "1. verdict: 1 of 3 go on",
        "   POP  ADDRESS    OBSERVED                                             RESULT",
        "   ams  192.0.2.2  up since YYYY-MM-DD HH:MM:SSZ                        goes on",
        "   fra  192.0.2.1  up since YYYY-MM-DD HH:MM:SSZ                        removed: drained by ana: hw",
        "   sin  192.0.2.3  down since YYYY-MM-DD HH:MM:SSZ: connection refused  removed: down",
        "",
        "2. geo, by default (site/site.yaml:13): 1 of 1 go on",
        "   POP  ADDRESS    RANK  ORDER  RESULT",
        "   ams  192.0.2.2  1     1      goes on",
        "",
        "3. latency: 1 of 1 go on",
        "   POP  ADDRESS    LATENCY  ORDER  RESULT",
        "   ams  192.0.2.2  30.0 ms  1      goes on",
        "",
        "4. distance: 1 of 1 go on",
        "   POP  ADDRESS    DISTANCE  ORDER  RESULT",
        "   ams  192.0.2.2  unknown   1      goes on",
        "",
        "5. take: 1 of 1 go on",
        "   POP  ADDRESS    RESULT",
        "   ams  192.0.2.2  goes on",
        "",
        "outcome     ams 192.0.2.2",
        "TTL         20 s: declared for the name",
        "scope       /0: the policy orders these endpoints alike for every location",
        "",
        ";; status: NOERROR, flags: qr aa",
        ";; ANSWER SECTION:",
        "www.example.com.      20  IN  A      192.0.2.2",
    ]


async def test_why_nothing_is_known_and_that_it_counts_as_down(world, show):
    path = world.site / "site.yaml"
    text = path.read_text().replace("monitor: health", "monitor: states\n    unknown_counts: down")
    path.write_text(text.replace("monitors: {", "monitors: {states: {type: file, file: /x/states}, "))
    world.prober.reasons = {"states": "/x/states cannot be read: no such file or directory"}
    await world.reload()
    await world.clock.advance(15)
    (row,) = [row for row in show("www.example.com") if "fra" in row]
    assert row == (
        "   fra  192.0.2.1  unknown: /x/states cannot be read: no such file or directory  "
        "removed: down, as what is unknown counts (unknown_counts: down)"
    )
    report = world.explain("www.example.com", "A", "198.51.100.1", None)
    assert {(one.unknown_counts, one.reason) for one in report.endpoints.values()} == {
        ("down", world.prober.reasons["states"])
    }
    # What is supposed to be down is down whatever counts how.
    (row,) = [row for row in show("www.example.com", down=("fra",)) if "fra" in row and "192" in row]
    assert row.endswith("removed: down, as what is unknown counts (unknown_counts: down)")


async def test_of_several_monitors_those_are_named_that_do_not_say_up(world, show):
    path = world.site / "site.yaml"
    text = path.read_text().replace("monitor: health", "monitor: [health, ssh]")
    path.write_text(text.replace("monitors: {", "monitors: {ssh: {type: tcp, port: 22, rise: 1, fall: 1}, "))
    world.prober.failing = {"192.0.2.1:22", "192.0.2.3:80"}
    await world.reload()
    await world.clock.advance(5)
    rows = [re.sub("since [-0-9]+ [:0-9]+Z", "since NOW", line) for line in show("www.example.com")]
    assert any("ams  192.0.2.2  up since NOW  " in row for row in rows)
    assert any("fra  192.0.2.1  down since NOW (ssh down: connection refused)" in row for row in rows)
    assert any("sin  192.0.2.3  down since NOW (health down: connection refused)" in row for row in rows)


async def test_a_name_that_reflects_says_what_and_why(world, show):
    path = world.site / "site.yaml"
    path.write_text(
        path.read_text().replace("names:\n", "names:\n  who.example.com: {reflect: best, ttl: 5}\n")
    )
    await world.reload()
    lines = show("who.example.com", subnet="198.51.100.0/24")
    assert lines[4:] == [
        "steered     who.example.com. (site/site.yaml:18)",
        "reflects    best: the client subnet's address, the resolver's without one",
        "resolver    198.51.100.1",
        "subnet      198.51.100.0/24",
        "outcome     198.51.100.0",
        "TTL         5 s",
        "scope       /24: the answer is the client subnet: other subnets get other answers",
        "",
        ";; status: NOERROR, flags: qr aa",
        ";; EDNS: ECS 198.51.100.0/24 scope/24",
        ";; ANSWER SECTION:",
        "who.example.com.       5  IN  A      198.51.100.0",
    ]
    assert "outcome     no data: there is no such address of this family" in show("who.example.com", "AAAA")


async def test_nothing_left_ends_the_steps_and_says_what_answers_instead(world, show):
    for pop in ("fra", "ams", "sin"):
        await world.drain(pop, "x", "ana", None)
    text = "\n".join(show("www.example.com"))
    assert "1. verdict: 0 of 3 go on" in text
    assert "2. " not in text
    assert "all down    fallback: no serving endpoint is left for this client" in text
    assert "outcome     last resort: the records that the zone itself has at the name" in text
    assert "TTL " not in text
    assert text.endswith("192.0.2.99")


async def test_the_client_subnet_is_shown_with_its_scope(show):
    text = "\n".join(show("www.example.com", subnet="203.0.113.7/24"))
    assert "question    www.example.com. A from 198.51.100.1 with client subnet 203.0.113.0/24" in text
    assert "client      203.0.113.0: not in the geo databases" in text
    assert ";; EDNS: ECS 203.0.113.0/24 scope/0" in text


@pytest.mark.parametrize(
    ("name", "rtype", "expected"),
    [
        ("nope.example.com", "A", ["name        nope.example.com. does not exist in the zone", "NXDOMAIN"]),
        ("example.org", "A", ["zone        none here holds the name", "status: REFUSED"]),
        (
            "alias.example.com",
            "A",
            ["records     1 CNAME of the zone", "alias       leads to www.example.com."],
        ),
        (
            "x.wild.example.com",
            "TXT",
            ["does not exist; the wildcard *.wild.example.com. answers", '"anything"'],
        ),
        ("x.lab.example.com", "A", ["is delegated away at lab.example.com.", ";; ADDITIONAL SECTION:"]),
        (
            "www.example.com",
            "TXT",
            ["name        www.example.com. exists in the zone", ";; AUTHORITY SECTION:"],
        ),
    ],
)
async def test_other_ways_of_an_answer(show, name, rtype, expected):
    text = "\n".join(show(name, rtype))
    for part in expected:
        assert part in text


async def test_what_a_resolver_said_of_an_alias_target_is_shown(world, show):
    rrset = RequestedRRset("out", "ALIAS", 60, ("cdn.example.org.",))
    await world.change_rrsets("example.com", [rrset], "ana")
    lines = show("out.example.com")
    assert "alias       leads to cdn.example.org." in lines
    assert "resolved    nothing is known of cdn.example.org." in lines
    world.publisher.publish_flattened([("cdn.example.org.", 1, 60, [bytes(4), bytes(4)], True)])
    assert "resolved    2 A of cdn.example.org., stale" in show("out.example.com")


@pytest.mark.parametrize("rtype", ["ALIAS", "CNAME"])
async def test_a_loop_of_aliases_is_named_at_the_end(world, show, rtype):
    rrsets = [RequestedRRset(one, rtype, 60, (other,)) for one, other in (("a", "b"), ("b", "a"))]
    await world.change_rrsets("example.com", rrsets, "ana")
    lines = show("A.example.com")
    at = lines.index("")
    assert lines[at - 1].startswith("loop        the aliases lead back to a.example.com. again and again")
    await world.change_rrsets("example.com", [RequestedRRset("c", "ALIAS", 60, ("gone",))], "ana")
    assert not any(line.startswith("loop") for line in show("c.example.com"))


async def test_large_pools_are_cut_short(world, show):
    rows = "\n".join(f"      - {{pop: sin, address: 203.0.113.{number}}}" for number in range(1, 51))
    write_site(world.site, site=SITE.replace("192.0.2.3}", "192.0.2.3}\n" + rows))
    await world.reload()
    lines = show("www.example.com")
    assert len(lines) < 150
    assert "   … and 32 more that go on (--json has all)" in lines
    assert "   … and 30 more that were removed (--json has all)" in lines


async def test_a_step_of_a_newer_server_is_shown_as_it_is(world, capsys):
    class Newer(Local):
        def get(self, path, **query):
            report = super().get(path, **query)
            return {**report, "steps": [{"step": "sign", "key": 7}], "answer": None}

    explain(Newer(world), "x", "A", address="192.0.2.1", subnet=None, as_json=False)
    assert capsys.readouterr().out.splitlines()[2:] == ['sign        {"key": 7}', "", ";; no response"]


async def test_json_is_printed_as_it_is(world, capsys):
    explain(Local(world), "www.example.com", "A", address="192.0.2.1", subnet=None, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["answer"]["rcode"] == "NOERROR"
    assert document["answer"]["flags"] == ["qr", "aa"]
    assert [record["data"] for record in document["answer"]["answer"]] == ["192.0.2.2", "192.0.2.1"]
    assert set(document["endpoints"]) == {"0", "1", "2"}
    assert document["endpoints"]["2"]["observed"] == "down"


async def test_a_terminal_gets_drawn_tables(world, monkeypatch):
    master, slave = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        explain(Local(world), "nope.example.com", "A", address="192.0.2.1", subnet=None, as_json=False)
        explain(Local(world), "www.example.com", "A", address="192.0.2.1", subnet=None, as_json=False)
        terminal.flush()
        shown = os.read(master, 1 << 16).decode()
    os.close(master)
    assert "\x1b[1mquestion" in shown
    assert "─" in shown


POOLS_OF_POOLS = """
pools:
  eu:
    policy: stay
    endpoints:
      - {pop: fra, address: 192.0.2.11}
      - {pop: ams, address: 192.0.2.12, weight: 0}
  us: {min_healthy: 1, endpoints: [{pop: sin, address: 192.0.2.21}]}
  world: {when_all_down: last_good, pools: [us, {pool: eu, weight: 50}]}
policies:
  stay: [sticky]
  home: [failover: [eu, us], shed: {low: 0.5, high: 0.9}, take: 1]
names:
  world.example.com: {pool: world, policy: home, ttl: {max: 60, min: 10}}
"""


async def test_a_member_pool_that_was_chosen_has_its_own_steps(world, show):
    (world.site / "world.yaml").write_text(POOLS_OF_POOLS)
    await world.reload()
    world.set_loads({"fra": 0.25, "ams": 0.5})
    lines = show("world.example.com")
    text = "\n".join(lines)
    assert "   POOL  TIER  ORDER  RESULT" in lines
    assert "   eu    1     1      goes on" in lines
    assert "   POOL  LOAD     ORDER  RESULT" in lines
    assert "   eu    0.25     1      goes on" in lines
    assert "   us    unknown  2      goes on" in lines
    assert "   us    removed: not among the first 1" in lines
    after = text[text.index("member") :]
    assert after.startswith(
        "member      eu (site/world.yaml:3)\n   policy      stay (site/world.yaml:11)\n   health      "
    )
    assert "2. sticky: 2 of 2 go on (weight 0 comes after all others)" in after
    assert re.search(r"fra  192\.0\.2\.11  \d\.\d{4}  1      goes on", after)
    assert "outcome     fra 192.0.2.11" in after


RULES_FOR_OTHERS = """
pools:
  few: {when_all_down: nodata, endpoints: [{pop: fra, address: 192.0.2.11}, {pop: ams, address: 192.0.2.12}]}
policies:
  alone: [subnet: {203.0.113.0/24: [fra], mode: fence}, take: 1]
  default: [geo: {subnet: {203.0.113.0/24: [fra]}, mode: fence}]
names:
  alone.example.com: {pool: few, policy: alone}
  default.example.com: {pool: few, policy: default}
"""


async def test_a_client_that_no_rule_is_for_is_told_what_that_means(world, show):
    (world.site / "few.yaml").write_text(RULES_FOR_OTHERS)
    await world.reload()
    lines = show("alone.example.com")
    assert "2. subnet: 2 of 2 go on (no rule is for this client: the step does nothing)" in lines
    assert "outcome     fra 192.0.2.11" in lines
    assert "2. geo, no rule is for this client: 0 of 2 go on" in show("default.example.com")


POOLS_IN_POOLS_OF_POOLS = """
pools:
  mid: {endpoints: [{pop: fra, address: 192.0.2.11}]}
  west: {policy: rest, endpoints: [{pop: ams, address: 192.0.2.12}]}
  eu: {policy: both, pools: [mid, west]}
  us: {endpoints: [{pop: sin, address: 192.0.2.21}]}
  earth: {when_all_down: nodata, pools: [us, eu]}
policies:
  all: [failover: [eu, us], take: 3]
  both: [failover: [mid, west], take: 2]
  rest: [failover: [ams]]
names:
  earth.example.com: {pool: earth, policy: all}
"""


async def test_member_pools_stand_in_by_how_deep_they_lie(world, show):
    (world.site / "earth.yaml").write_text(POOLS_IN_POOLS_OF_POOLS)
    await world.reload()
    lines = show("earth.example.com")
    start = lines.index("   member      eu (site/earth.yaml:5)")
    assert lines[start : lines.index("outcome     fra 192.0.2.11, ams 192.0.2.12, sin 192.0.2.21")] == [
        "   member      eu (site/earth.yaml:5)",
        "   policy      both (site/earth.yaml:10)",
        "   health      available: 2 healthy, 1 needed",
        "",
        "   1. verdict: 2 of 2 go on",
        "      POOL  RESULT",
        "      mid   goes on",
        "      west  goes on",
        "",
        "   2. failover: 2 of 2 go on",
        "      POOL  TIER  ORDER  RESULT",
        "      mid   1     1      goes on",
        "      west  2     2      goes on",
        "",
        "   3. take: 2 of 2 go on",
        "      POOL  RESULT",
        "      mid   goes on",
        "      west  goes on",
        "",
        "      member      mid (site/earth.yaml:3)",
        "      policy      none: all that serves is equal",
        "      health      available: 1 healthy, 1 needed",
        "",
        "      1. verdict: 1 of 1 go on",
        "         POP  ADDRESS     OBSERVED       RESULT",
        "         fra  192.0.2.11  not monitored  goes on",
        "",
        "      member      west (site/earth.yaml:4)",
        "      policy      rest (site/earth.yaml:11)",
        "      health      available: 1 healthy, 1 needed",
        "",
        "      1. verdict: 1 of 1 go on",
        "         POP  ADDRESS     OBSERVED       RESULT",
        "         ams  192.0.2.12  not monitored  goes on",
        "",
        "      2. failover: 1 of 1 go on",
        "         POP  ADDRESS     TIER  ORDER  RESULT",
        "         ams  192.0.2.12  1     1      goes on",
        "",
        "   member      us (site/earth.yaml:6)",
        "   policy      none: all that serves is equal",
        "   health      available: 1 healthy, 1 needed",
        "",
        "   1. verdict: 1 of 1 go on",
        "      POP  ADDRESS     OBSERVED       RESULT",
        "      sin  192.0.2.21  not monitored  goes on",
        "",
    ]


async def test_what_is_supposed_is_said_and_shown(world, show):
    await world.drain("ams", "hw", "ana", world.now() + timedelta(hours=1))
    lines = show("www.example.com", down=["fra"], drain=["sin"], load={"ams": 0.5}, at="1h")
    assert lines[2] == ("supposing   fra down and sin drained and ams at load 0.5, at 2026-03-01 13:00:40Z")
    results = [(line.split()[0], line.split("  ")[-1].strip()) for line in lines[14:17]]
    assert results == [("ams", "goes on"), ("fra", "removed: down"), ("sin", "removed: drained")]
    assert "outcome     ams 192.0.2.2" in lines
    assert "outcome     fra 192.0.2.1" in show("www.example.com")
