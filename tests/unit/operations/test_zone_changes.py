from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gslb.config.rdata import present_rdata
from gslb.errors import InvalidChangeError, StateError
from gslb.model.change import StoredRRset
from gslb.model.finding import NOWHERE, Finding, Severity
from gslb.operations.overlay import stored_overlay
from gslb.operations.zone_changes import (
    RequestedRRset,
    name_rrsets_at_fault,
    read_rrsets,
)
from tests.unit.fakes import START

ZONE = "example.com."


def rrset(name="www", rtype="A", ttl=60, records=("192.0.2.1",)):
    return RequestedRRset(name, rtype, ttl, tuple(records))


def problems_of(*rrsets):
    with pytest.raises(InvalidChangeError) as caught:
        read_rrsets(ZONE, rrsets)
    return dict(caught.value.problems)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("www", "www.example.com."),
        ("WWW.Example.COM.", "www.example.com."),
        ("@", "example.com."),
        ("*.a", "*.a.example.com."),
        ("example.com.", "example.com."),
    ],
)
def test_names_are_relative_or_absolute(name, owner):
    (read,) = read_rrsets(ZONE, [rrset(name)])
    assert read.change == (owner, 1, 60, [bytes([192, 0, 2, 1])])


@pytest.mark.parametrize(
    ("rtype", "record", "number", "wire", "text"),
    [
        ("cname", "other", 5, b"\5other\7example\3com\0", "other.example.com."),
        ("MX", "10 mail.Example.net.", 15, b"\0\n\4mail\7Example\3net\0", "10 mail.Example.net."),
        ("TXT", '"a b" c', 16, b"\3a b\1c", '"a b" "c"'),
        ("TYPE65280", r"\# 3 abcdef", 65280, b"\xab\xcd\xef", r"\# 3 abcdef"),
        ("TYPE1", "192.0.2.7", 1, bytes([192, 0, 2, 7]), "192.0.2.7"),
        ("AAAA", "2001:DB8::1", 28, bytes.fromhex("20010db8" + "0" * 22 + "01"), "2001:db8::1"),
    ],
)
def test_records_are_read_to_wire_and_kept_absolute(rtype, record, number, wire, text):
    (read,) = read_rrsets(ZONE, [rrset("x", rtype, 60, [record])])
    assert read.change == ("x.example.com.", number, 60, [wire])
    assert read.records == (text,)
    assert present_rdata(number, wire) == text


def test_an_rrset_without_records_is_removed_and_needs_no_ttl():
    (read,) = read_rrsets(ZONE, [rrset("old", "TXT", None, ())])
    assert read.change == ("old.example.com.", 16, 0, [])


def test_every_problem_is_found_at_once_with_its_pointer():
    found = problems_of(
        rrset("www.example.net."),
        rrset("a" * 64),
        rrset("x", "NOTATYPE"),
        rrset("x", "ANY"),
        rrset("x", "A", None),
        rrset("x", "AAAA", -1, ["::1"]),
        rrset("x", "TXT", 60, ["ok", '"open', "a\nb"]),
        rrset("ok"),
        rrset("OK"),
        rrset("dup", "A", 60, ["192.0.2.1", "192.0.2.1"]),
    )
    assert set(found) == {
        "/rrsets/0/name",
        "/rrsets/1/name",
        "/rrsets/2/type",
        "/rrsets/3/type",
        "/rrsets/4/ttl",
        "/rrsets/5/ttl",
        "/rrsets/6/records/1",
        "/rrsets/6/records/2",
        "/rrsets/8",
        "/rrsets/9/records/1",
    }
    assert "not in the zone example.com." in found["/rrsets/0/name"]
    assert "/rrsets/7" in found["/rrsets/8"]


@pytest.mark.parametrize(
    ("request_", "pointer"),
    [
        (rrset("@", "SOA", None, ()), "/rrsets/0/records"),
        (rrset("@", "NS", None, ()), "/rrsets/0/records"),
        (rrset("x", "SOA", 60, ["ns. host. 1 2 3 4 5"]), "/rrsets/0/name"),
        (rrset("x", "CNAME", 60, ["a", "b"]), "/rrsets/0/records"),
        (rrset("x", "A", 60, ["192.0.2.1"] * 1001), "/rrsets/0/records"),
        (rrset("x", "A", 2**31), "/rrsets/0/ttl"),
        (rrset("x", "TYPE70000"), "/rrsets/0/type"),
        (rrset("x", "OPT", 60, ["x"]), "/rrsets/0/type"),
        (rrset("x", "TXT", 60, [" ".join(["a" * 255] * 300)]), "/rrsets/0/records/0"),
    ],
)
def test_what_breaks_a_zone_or_a_bound_is_refused(request_, pointer):
    assert list(problems_of(request_)) == [pointer]


def test_a_request_has_at_least_one_rrset_and_at_most_a_thousand():
    assert list(problems_of(RequestedRRset("x", "A", 60, None))) == ["/rrsets/0/ttl"]
    assert list(problems_of()) == ["/rrsets"]
    assert list(problems_of(*[rrset(f"n{number}") for number in range(1001)])) == ["/rrsets"]
    assert len(read_rrsets(ZONE, [rrset(f"n{number}") for number in range(1000)])) == 1000


def test_problems_are_listed_up_to_a_bound():
    assert len(problems_of(*[rrset("..") for _ in range(500)])) == 100


@given(
    st.text(max_size=30),
    st.sampled_from(["A", "TXT", "MX", "SVCB", "CAA", "TYPE999", "NAPTR", "LOC"]),
    st.text(max_size=60),
)
def test_hostile_text_is_read_or_refused_never_more(name, rtype, record):
    try:
        (read,) = read_rrsets(ZONE, [rrset(name, rtype, 60, [record])])
    except InvalidChangeError:
        return
    stored = StoredRRset(ZONE, *read.change[:3], read.records, "a", START)
    overlay = stored_overlay([stored], {ZONE: 2}, [])
    assert overlay.rrsets == {ZONE: (read.change,)}


def test_a_stored_record_that_cannot_be_read_is_named():
    row = StoredRRset(ZONE, "x.example.com.", 1, 60, ("not an address",), "a", START)
    with pytest.raises(StateError, match=r"x\.example\.com\. A of zone example\.com\."):
        stored_overlay([row], {}, [])


def test_what_the_native_zone_refuses_points_to_the_rrset_that_it_is_about():
    read = read_rrsets(
        ZONE, [rrset("w"), rrset("www", "CNAME", 60, ["x"]), rrset("www", "TXT", None, ()), rrset("www")]
    )

    def pointers(message, rrsets=read):
        error = name_rrsets_at_fault(InvalidChangeError(message), rrsets)
        assert str(error).endswith(message)
        return [pointer for pointer, _ in error.problems]

    assert pointers("www.example.com. would have a CNAME beside other data") == ["/rrsets/1", "/rrsets/3"]
    assert pointers("www.example.com. is steered", read[:3]) == ["/rrsets/1"]
    assert pointers("www.example.com. is at fault", [read[2]]) == ["/rrsets/2"]
    assert pointers("the zone example.com. would have no NS record at its apex") == []


def test_what_the_site_says_against_a_change_stays_with_the_error():
    finding = Finding("site-test-failed", Severity.ERROR, NOWHERE, "must get fra")
    read = read_rrsets(ZONE, [rrset("www")])
    error = InvalidChangeError("www.example.com. is at fault", findings=[finding])
    named = name_rrsets_at_fault(error, read)
    assert (named.field, named.findings) == ("/rrsets/0", (finding,))


def test_the_number_of_a_change_becomes_its_place_in_the_request():
    read = read_rrsets(ZONE, [rrset("w"), rrset("www"), rrset("x")])
    error = InvalidChangeError("leave it", problems=[("1", "leave it")])
    named = name_rrsets_at_fault(error, [read[0], read[2]])
    assert (named.field, named.problems) == ("/rrsets/2", (("/rrsets/2", "leave it"),))
    assert str(named) == "/rrsets/2: leave it"
