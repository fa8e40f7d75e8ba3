"""What breaks a test of the site is not published; only tests that it can concern run."""

from __future__ import annotations

import pytest

from gslb import policy_tests as subject
from gslb._dataplane import DataPlane
from gslb.errors import InvalidChangeError, SiteError
from gslb.model.change import Overlay
from gslb.model.site import LatencyRow, LocationKind
from gslb.publish import Publisher
from gslb.zones.touched import Touched
from tests.unit.policy_tests.sites import (
    BY_COUNTRY,
    CLIENT,
    DE,
    test,
)
from tests.unit.sites import SITE


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

    async def test_what_a_change_concerns_is_found_out_before_it_is_committed(self, site, monkeypatch):
        publisher, _ = await self.publisher(site(test(client=DE, expect={"pops": ["fra"]})))
        looked_at = []
        affects = Touched.affects
        monkeypatch.setattr(Touched, "affects", lambda *args: looked_at.append(args) or affects(*args))
        changes = [("www.example.com.", 16, 60, [b"\1x"])]
        prepared = await publisher.prepare_zone_change("example.com.", changes)
        assert looked_at
        looked_at.clear()
        publisher.commit_zone_change(prepared)
        assert looked_at == []

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
