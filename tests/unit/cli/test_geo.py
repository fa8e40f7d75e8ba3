"""``gslb geo diff`` over a real site, beside a server that knows demand and latency or does not."""

from __future__ import annotations

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.geo import write_countries, write_database
from tests.unit.cli.test_commands import Cli
from tests.unit.sites import SITE, write_site

MEASURED = "    - latency\n    - take: 1\n"
LATENCY = "location,pop,ms\ndefault,fra,12.345\ndefault,ams,30\ncountry:US,sin,5\n"
POLICY = "    - geo: {country: {DE: [fra], US: [sin]}, default: [ams]}\n    - take: 1\n"


TESTS = """\
tests:
  - title: Germans go to Frankfurt
    ask: www.example.com
    client: 10.0.0.1
    expect: {pops: [fra]}
"""


def with_steps(steps):
    """The site of a policy of these steps, with a geo database."""
    steered = SITE.replace(SITE[SITE.index("    - geo:") : SITE.index("names:")], steps)
    return steered + "geo: {databases: [../old.mmdb]}\n"


@pytest.fixture
def site(tmp_path):
    write_countries(tmp_path / "old.mmdb", {"10.0.0.0/8": "DE", "2001:db8::/32": "DE"})
    write_countries(tmp_path / "new.mmdb", {"10.0.0.0/8": "DE", "10.0.0.0/9": "US", "2001:db8::/32": "DE"})
    return write_site(tmp_path / "site", site=with_steps(POLICY))


@pytest.fixture
async def demand():
    """What the server tells of demand, in two pages; an empty list for none."""
    rows = [
        {"name": "www.example.com.", "type": "A", "country": "DE", "queries_per_second": 30.0},
        {"name": "www.example.com.", "type": "A", "country": "FR", "queries_per_second": 70.0},
    ]

    async def answer(request):
        assert request.query["by"] == "name,type,country"
        offset = int(request.query["offset"])
        following = offset + 1 if offset + 1 < len(rows) else None
        return web.json_response({"rows": rows[offset : offset + 1], "next_offset": following})

    latency = [
        {"location": "default", "pop": "fra", "ms": 12.345, "source": "site"},
        {"location": "country:DE", "pop": "ams", "ms": 1.0, "source": "api"},
        {"location": "default", "pop": "gone", "ms": 1.0, "source": "api"},
    ]

    async def answer_latency(request):
        return web.json_response({"generation": 7, "rows": latency})

    app = web.Application()
    app.router.add_get("/v1/demand", answer)
    app.router.add_get("/v1/latency", answer_latency)
    async with TestServer(app) as server:
        server.rows, server.latency = rows, latency
        yield server


@pytest.fixture
def cli(demand, tmp_path):
    (tmp_path / "state").mkdir()
    return Cli(tmp_path / "state", str(demand.make_url("/")))


def arguments(site, *more):
    return ["geo", "diff", str(site.parent / "old.mmdb"), str(site.parent / "new.mmdb"), str(site), *more]


async def test_it_shows_shares_moves_examples_and_demand(cli, site):
    result = await cli.run(*arguments(site))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["before", str(site.parent / "old.mmdb")]
    assert lines[1].split() == ["after", str(site.parent / "new.mmdb")]
    assert lines[2].endswith("16,777,216 IPv4 addresses and 65,536 IPv6 /48s")
    assert lines[4] == "www.example.com. A"
    # Half of what comes from Germany, which is 30 of 100 queries a second.
    assert lines[5] == (
        "  moves: 50.00% of IPv4 addresses, 0.00% of IPv6 /48s, "
        "15.00% of recent demand (15.0 of 100.0 q/s), in 1 network"
    )
    assert lines[6].split()[:6] == ["FROM", "TO", "COUNTRY", "NETWORKS", "IPV4", "SHARE"]
    assert lines[7].split() == ["fra", "sin", "US", "1", "8,388,608", "50.00%", "0", "0.00%", "10.0.0.0/9"]


async def test_json_has_all_of_it(cli, site):
    document = json.loads((await cli.run(*arguments(site, "--json"))).stdout)
    (tree,) = document["trees"]
    assert tree["names"] == [{"name": "www.example.com.", "types": ["A"]}]
    assert tree["demand"] == {"queries_per_second": 100.0, "moved": 15.0, "share": 0.15}
    (move,) = tree["moves"]
    assert (move["from"], move["to"], move["country"], move["ipv4_share"]) == (["fra"], ["sin"], "US", 0.5)
    assert move["examples"] == ["10.0.0.0/9"]
    assert (document["demand_unknown"], document["omitted"], document["names_without_moves"]) == (None, 0, [])
    few = json.loads((await cli.run(*arguments(site, "--json", "--limit", "0"))).stdout)
    assert few["trees"][0]["moves"][0]["examples"] == []


async def test_without_demand_or_a_server_it_says_so(cli, site, demand):
    demand.rows.clear()
    result = await cli.run(*arguments(site))
    assert result.exit_code == 0
    assert "demand (" not in result.stdout
    assert "recent demand is not known: the server has answered no query" in result.stdout
    await demand.close()
    result = await cli.run(*arguments(site))
    assert result.exit_code == 0
    assert "moves: 50.00% of IPv4" in result.stdout
    assert "recent demand is not known: cannot reach the server" in result.stdout
    document = json.loads((await cli.run(*arguments(site, "--json"))).stdout)
    assert document["trees"][0]["demand"] is None
    assert "cannot reach the server" in document["demand_unknown"]


async def test_nothing_moves_to_what_says_the_same(cli, site):
    (site.parent / "new.mmdb").write_bytes((site.parent / "old.mmdb").read_bytes())
    result = await cli.run(*arguments(site))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "nothing moves for 1 name"


async def test_what_cannot_be_read_is_named_and_ends_with_1(cli, site):
    (site.parent / "new.mmdb").write_bytes((site.parent / "new.mmdb").read_bytes()[:500])
    result = await cli.run(*arguments(site))
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"the geo database {site.parent / 'new.mmdb'} is no MaxMind DB, or damaged" in result.stderr
    (site.parent / "new.mmdb").unlink()
    result = await cli.run(*arguments(site))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no file or directory" in result.stderr
    (site / "site.yaml").write_text("pops: [")
    result = await cli.run(*arguments(site))
    assert result.exit_code == 1
    assert "the site does not load" in result.stderr


async def test_a_directory_that_is_not_there_is_said_in_the_words_of_check(cli, site):
    result = await cli.run(*arguments(site.parent / "nowhere"))
    assert (result.exit_code, result.stdout) == (1, "")
    checked = await cli.run("check", str(site.parent / "nowhere"), state=False)
    assert "[site-no-directory]" in checked.stdout
    assert result.stderr.splitlines()[0] == checked.stdout.splitlines()[0]


async def test_a_database_that_says_nothing_of_what_policies_look_at_is_said_to_be_refused(cli, site):
    write_database(site.parent / "new.mmdb", {"10.0.0.0/8": {"autonomous_system_number": 64500}})
    result = await cli.run(*arguments(site))
    assert result.exit_code == 1
    assert "moves: 100.00% of IPv4 addresses" in result.stdout
    assert f"{site.parent / 'new.mmdb'}: error: policy 'measured'" in result.stderr
    assert "looks at places of clients, but no geo database has any" in result.stderr
    assert "[site-geo-database]" in result.stderr
    assert result.stderr.splitlines()[-1] == (
        f"gslb: a reload with {site.parent / 'new.mmdb'} would be refused: 1 error"
    )


async def test_a_database_of_another_kind_is_said_to_be_refused(cli, site):
    # The second database has countries too: only beside what was there before something is missing.
    write_countries(site.parent / "more.mmdb", {"192.0.2.0/24": "FR"})
    text = (site / "site.yaml").read_text().replace("[../old.mmdb]", "[../old.mmdb, ../more.mmdb]")
    (site / "site.yaml").write_text(text)
    write_database(site.parent / "new.mmdb", {"10.0.0.0/8": {"autonomous_system_number": 64500}})
    result = await cli.run(*arguments(site))
    assert result.exit_code == 1
    assert "moves: " in result.stdout
    message = f"{site.parent / 'new.mmdb'} is of another kind than the one it replaces: it has AS numbers"
    assert message in result.stderr
    document = json.loads((await cli.run(*arguments(site, "--json"))).stdout)
    (finding,) = document["refused"]
    assert (finding["rule"], finding["severity"]) == ("site-geo-database", "error")
    assert finding["message"].startswith(message)
    assert len(document["trees"]) == 1


async def test_a_database_that_a_policy_test_refuses_is_said_to_be_refused(cli, site):
    (site / "tests.yaml").write_text(TESTS)
    result = await cli.run(*arguments(site))
    assert result.exit_code == 1
    assert "10.0.0.0/9" in result.stdout
    assert "tests.yaml:2:" in result.stderr
    assert "test Germans go to Frankfurt: " in result.stderr
    assert "[site-test-failed]" in result.stderr
    assert "would be refused: 1 error" in result.stderr
    (site / "tests.yaml").write_text(TESTS.replace("10.0.0.1", "10.200.0.1"))
    result = await cli.run(*arguments(site))
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads((await cli.run(*arguments(site, "--json"))).stdout)["refused"] == []


async def test_warnings_of_the_new_database_are_shown_and_refuse_nothing(cli, site):
    write_countries(site.parent / "new.mmdb", {"10.0.0.0/8": "DE"})  # no US, which a rule names
    result = await cli.run(*arguments(site))
    assert result.exit_code == 0
    assert "warning: policy 'measured' names the country US, which no geo database has" in result.stderr
    assert "refused" not in result.stderr


async def test_latency_that_the_api_set_counts(cli, site, demand):
    write_site(site, site=with_steps(MEASURED), latency=LATENCY)
    result = await cli.run(*arguments(site))
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    # Of the site's own table Germans are answered with fra.
    assert ["ams", "sin", "US"] in [line.split()[:3] for line in lines]
    assert lines[2].split() == ["latency", "with", "2", "rows", "that", "the", "API", "set"]
    document = json.loads((await cli.run(*arguments(site, "--json"))).stdout)
    assert (document["latency_rows"], document["latency_unknown"]) == (2, None)
    demand.latency[1]["source"] = "site"
    result = await cli.run(*arguments(site))
    assert ["fra", "sin", "US"] in [line.split()[:3] for line in result.stdout.splitlines()]


async def test_a_policy_test_sees_the_latency_that_the_api_set(cli, site):
    write_site(site, site=with_steps(MEASURED), latency=LATENCY)
    (site / "tests.yaml").write_text(TESTS.replace("10.0.0.1", "10.200.0.1"))
    result = await cli.run(*arguments(site))
    assert result.exit_code == 1
    assert "test Germans go to Frankfurt: " in result.stderr


async def test_latency_that_is_not_known_is_said_to_be_left_out(cli, site, demand):
    write_site(site, site=with_steps(MEASURED), latency=LATENCY)
    demand.latency[1]["location"] = "planet:X"
    result = await cli.run(*arguments(site))
    assert result.exit_code == 0
    left_out = "latency rows that the API set are left out: "
    assert f"{left_out}the server tells of latency what this gslb does not understand" in result.stdout
    await demand.close()
    result = await cli.run(*arguments(site))
    assert result.exit_code == 0
    assert ["fra", "sin", "US"] in [line.split()[:3] for line in result.stdout.splitlines()]
    assert f"{left_out}cannot reach the server" in result.stdout
    document = json.loads((await cli.run(*arguments(site, "--json"))).stdout)
    assert document["latency_rows"] == 0
    assert "cannot reach the server" in document["latency_unknown"]


async def test_no_server_is_asked_for_latency_that_no_policy_looks_at(cli, site, demand):
    await demand.close()
    result = await cli.run(*arguments(site))
    assert "latency" not in result.stdout
    assert json.loads((await cli.run(*arguments(site, "--json"))).stdout)["latency_unknown"] is None
