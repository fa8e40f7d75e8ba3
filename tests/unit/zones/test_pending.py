"""Records that the native reader leaves to dnspython."""

import dns.rdatatype

from gslb.zones.pending import resolve_pending


def test_pending_records_are_filled_or_rejected(site, read_zone):
    zone = read_zone(str(site.path / "example.com.zone"), "example.com.")
    zone.waiting = [(4, dns.rdatatype.TLSA, "3 1 0 0d6f", "example.com."), (9, 52, "oops", "example.com.")]
    resolve_pending(zone)
    assert zone.filled == {4: b"\x03\x01\x00\x0d\x6f"}
    assert list(zone.rejected) == [9]
    assert "TLSA" in zone.rejected[9]
