"""Names in record data, as checks read them."""

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gslb.zones.checks.records import name_at

LABELS = st.lists(st.binary(min_size=1, max_size=63), max_size=3)


@given(LABELS, st.binary(max_size=4), st.binary(max_size=4))
def test_a_name_is_as_dnspython_writes_it_in_lower_case(labels, before, after):
    name = dns.name.Name([*labels, b""])
    rdata = before + name.to_wire() + after
    text, end = name_at(rdata, len(before))
    assert text == name.to_text().lower()
    assert rdata[end:] == after


@pytest.mark.parametrize("rdata", [b"", b"\x03www", b"\x03ww", b"\x40" + b"a" * 64 + b"\x00", b"\xc0\x00"])
def test_what_is_no_name_is_refused(rdata):
    with pytest.raises(ValueError, match="no name"):
        name_at(rdata)
