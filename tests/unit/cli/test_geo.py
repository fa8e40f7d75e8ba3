"""``gslb geo diff`` over a real site, beside a server that knows demand or does not."""

from __future__ import annotations

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.geo import write_countries
from tests.unit.cli.test_commands import Cli
from tests.unit.sites import SITE, write_site

POLICY = "    - geo: {country: {DE: [fra], US: [sin]}, default: [ams]}\n    - take: 1\n"


@pytest.fixture
def site(tmp_path):
    text = SITE.replace(SITE[SITE.index("    - geo:") : SITE.index("names:")], POLICY)
    write_countries(tmp_path / "old.mmdb", {"10.0.0.0/8": "DE", "2001:db8::/32": "DE"})
    write_countries(tmp_path / "new.mmdb", {"10.0.0.0/8": "DE", "10.0.0.0/9": "US", "2001:db8::/32": "DE"})
    return write_site(tmp_path / "site", site=text + "geo: {databases: [../old.mmdb]}\n")


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

    app = web.Application()
    app.router.add_get("/v1/demand", answer)
    async with TestServer(app) as server:
        server.rows = rows
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
