"""Hints that lead to a steered name and stay as they are."""

import pytest

from gslb.zones.site import inspect_site
from tests.unit.sites import SITE, ZONE, write_site


@pytest.mark.parametrize(
    ("record", "hints"),
    [
        ("_8443._https.www HTTPS 1 www ipv4hint=192.0.2.1", "ipv4hint"),
        ("other SVCB 2 WWW alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1", "ipv4hint and ipv6hint"),
        ("_8443._https.www HTTPS 1 www alpn=h2 port=8443", ""),
        ("_8443._https.www HTTPS 1 ns1 ipv4hint=192.0.2.53", ""),
        ("www HTTPS 1 . ipv4hint=192.0.2.1", ""),
        ("www HTTPS 1 www ipv4hint=192.0.2.1", ""),
        ("_8443._https.me HTTPS 1 me ipv4hint=192.0.2.1", ""),
        ("www HTTPS 0 www.example.net.", ""),
    ],
)
def test_hints_of_other_owners(tmp_path, monkeypatch, record, hints):
    monkeypatch.chdir(tmp_path)
    site = SITE.replace("names:\n", "names:\n  me.example.com: {reflect: best}\n")
    inspected = inspect_site(write_site(tmp_path / "site", zone=ZONE + record + "\n", site=site))
    found = [finding for finding in inspected.findings if finding.rule == "site-static-hints"]
    assert inspected.site is not None, inspected.findings
    assert len(found) == bool(hints)
    for finding in found:
        assert (finding.severity, finding.place.line) == ("warning", ZONE.count("\n") + 1)
        assert f"its {hints} stays as it is" in finding.message
