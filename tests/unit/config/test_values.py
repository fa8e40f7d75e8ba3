"""Durations, locations, names and the other single values."""

import dns.name
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gslb.config import suppositions, values
from gslb.config.durations import format_duration, parse_duration
from gslb.config.locations import format_location, parse_location
from gslb.config.names import parent_names, parse_identifier, parse_owner_name
from gslb.config.wording import (
    MAXIMUM_QUOTED,
    NAMES_LISTED,
    did_you_mean,
    one_of,
    printable,
    quote,
    unknown_name,
)
from gslb.model.site import LocationKind


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10.0),
        ("500ms", 0.5),
        ("2m", 120.0),
        ("1h30m", 5400.0),
        ("1d2h3m4s5ms", 93784.005),
        ("1w1d", 691_200.0),
        ("1.5h", 5400.0),
        (3, 3.0),
        (0.25, 0.25),
        ("0s", 0.0),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "10", "s", "10 s", "1m1h", "1s1s", "-1s", "10sec", True, None, [], -1])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="must"):
        parse_duration(text)


@given(st.integers(0, 10**10))
def test_durations_survive_the_round_trip(milliseconds):
    assert round(parse_duration(format_duration(milliseconds / 1000)) * 1000) == milliseconds


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("country:DE", LocationKind.COUNTRY, "DE"),
        ("country:NO", LocationKind.COUNTRY, "NO"),
        ("continent:EU", LocationKind.CONTINENT, "EU"),
        ("subdivision:US-CA", LocationKind.SUBDIVISION, "US-CA"),
        ("subdivision:JP-13", LocationKind.SUBDIVISION, "JP-13"),
        ("asn:3320", LocationKind.ASN, "3320"),
        ("asn:AS3320", LocationKind.ASN, "3320"),
        ("asn:4294967295", LocationKind.ASN, "4294967295"),
        ("subnet:192.0.2.0/24", LocationKind.SUBNET, "192.0.2.0/24"),
        ("subnet:2001:DB8:0::/32", LocationKind.SUBNET, "2001:db8::/32"),
        ("default", LocationKind.DEFAULT, ""),
    ],
)
def test_locations(text, kind, value):
    assert parse_location(text) == (kind, value)
    assert parse_location(format_location(kind, value)) == (kind, value)


@given(st.text(max_size=20) | st.builds("{}:{}".format, st.sampled_from(LocationKind), st.text(max_size=20)))
def test_any_text_is_a_location_that_can_be_written_back_or_refused(text):
    try:
        location = parse_location(text)
    except ValueError:
        return
    assert parse_location(format_location(*location)) == location


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("country:de", "upper-case"),
        ("country:DEU", "two"),
        ("continent:XX", "AF, AN, AS"),
        ("subdivision:CA", "ISO 3166-2"),
        ("subdivision:US-", "ISO 3166-2"),
        ("asn:4294967296", "4294967295"),
        ("asn:-1", "AS number"),
        ("subnet:192.0.2.1/24", "write 192.0.2.0/24"),
        ("subnet:192.0.2.0", "address/length"),
        ("subnet:::ffff:192.0.2.0/120", "no client is looked up so; write 192.0.2.0/24"),
        ("subnet:::ffff:0:0/96", "write 0.0.0.0/0"),
        ("subnet:fe80::%eth0/64", "no subnet"),
        ("subnet:x/24", "no subnet"),
        ("contry:DE", "did you mean 'country'"),
        ("DE", "country:DE"),
        ("default:", "no location"),
        ("", "no location"),
    ],
)
def test_what_is_no_location(text, words):
    with pytest.raises(ValueError, match=r"no |host bits") as caught:
        parse_location(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("WWW.Example.COM", "www.example.com."),
        ("www.example.com.", "www.example.com."),
        ("*.cdn.example.com", "*.cdn.example.com."),
        ("_sip._tcp.example.com", "_sip._tcp.example.com."),
        ("com", "com."),
        (".".join(["a" * 63] * 3 + ["a" * 61]), ".".join(["a" * 63] * 3 + ["a" * 61]) + "."),
    ],
)
def test_owner_names(text, name):
    assert parse_owner_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        "-a.com",
        "a-.com",
        "a b.com",
        "a" * 64 + ".com",
        "*",
        "w.*.com",
        "b@d",
        "é.com",
        ".".join(["a" * 63] * 4),
    ],
)
def test_what_is_no_owner_name(text):
    with pytest.raises(ValueError, match="no domain name"):
        parse_owner_name(text)


def test_parent_names_end_at_the_root():
    assert parent_names("a.b.c.") == ["a.b.c.", "b.c.", "c.", "."]
    assert parent_names(".") == ["."]


@given(st.lists(st.binary(min_size=1, max_size=4), max_size=5))
@example([b"a.b", b"c"])
@example([b"a\\", b"b\\.", b"c"])
def test_parent_names_are_cut_between_labels(labels):
    """Not at a dot within a label, which is escaped (RFC 1035 section 5.1)."""
    parents = [dns.name.Name((*labels[index:], b"")).to_text() for index in range(len(labels) + 1)]
    assert parent_names(parents[0]) == parents


@pytest.mark.parametrize("text", ["fra", "Fra-1", "web_health", "v1.2", "0"])
def test_identifiers(text):
    assert parse_identifier(text) == text


@pytest.mark.parametrize("text", ["", "-a", "a b", "a/b", "é", "a" * 64, "a\n"])
def test_what_is_no_identifier(text):
    with pytest.raises(ValueError, match="no usable name"):
        parse_identifier(text)


@pytest.mark.parametrize(
    "value",
    [
        "127.0.0.1:8101",
        "[::1]:80",
        "backend.example:65535",
        "127.0.0.1",
        "bar.example",
        "[2001:db8::1]",
        "2001:db8::1",
    ],
)
def test_probe_targets(value):
    assert values.probe(value) == value


@pytest.mark.parametrize(
    "value",
    ["", "[x]:80", "[x]", "[]", ":80", "h:0", "h:65536", "h:", "[::1]:", "a b:1", "a b", "8080", "1:2:3", 80],
)
def test_what_is_no_probe_target(value):
    with pytest.raises(ValueError, match="must be a host, with a port or without"):
        values.probe(value)


@pytest.mark.parametrize(
    "value",
    ["224.0.0.1", "0.0.0.0", "255.255.255.255", "::", "ff02::1", "fe80::1%eth0", "1.2.3", 1, None],
)
def test_addresses_that_no_client_can_be_sent_to(value):
    with pytest.raises(ValueError, match="must be"):
        values.address(value)


def test_numbers_are_not_booleans_or_text():
    for read in (values.integer(0, 9), values.number(0, 9)):
        for value in (True, "1", None, -1, 10):
            with pytest.raises(ValueError, match="from 0 to 9"):
                read(value)
        assert read(9) == 9


def test_status_codes_are_one_or_a_list():
    assert values.status_codes(204) == (204,)
    assert values.status_codes([200, 301]) == (200, 301)
    for value in ([], [99], ["200"], [200] * 65):
        with pytest.raises(ValueError, match="must"):
            values.status_codes(value)


def test_references_name_each_once():
    assert values.references("fra") == ("fra",)
    assert values.references(["fra", "ams"]) == ("fra", "ams")
    with pytest.raises(ValueError, match="lists 'fra' twice"):
        values.references(["fra", "ams", "fra"])
    for value in ([], [1], None, {}):
        with pytest.raises(ValueError, match="must"):
            values.references(value)


@pytest.mark.parametrize("value", ["x", "/a b", "/a#b", "/\x00", "/\n", 1])
def test_what_is_no_http_path(value):
    with pytest.raises(ValueError, match="begin with /"):
        values.http_path(value)


@given(st.text() | st.integers() | st.none() | st.booleans() | st.floats())
def test_quoted_values_are_short_and_printable(value):
    shown = quote(value)
    assert shown.isprintable()
    assert len(shown) <= MAXIMUM_QUOTED + 320  # floats and integers are shown whole
    if isinstance(value, str):
        assert len(shown) <= MAXIMUM_QUOTED


def test_wording():
    assert quote([1]) == "a list"
    assert quote({}) == "a mapping"
    assert quote(True) == "true"
    assert quote(5) == "5"
    assert one_of(["a", "b", "c"]) == "a, b or c"
    assert did_you_mean("endpoint", ["endpoints", "monitor"]) == "; did you mean 'endpoints'?"
    assert did_you_mean("x" * 1000, ["x"]) == ""
    assert printable("a\x1b[31m\nb") == "a\\x1b[31m\\nb"


def test_an_unknown_name_comes_with_the_nearest_and_the_known_ones():
    assert unknown_name("POP", "x", []) == "no POP is named 'x'; the site has none"
    assert unknown_name("POP", "x", ["fra", "ams"]) == "no POP is named 'x'; the site has: ams, fra"
    assert (
        unknown_name("POP", "frx", ["fra"]) == "no POP is named 'frx'; did you mean 'fra'? The site has: fra"
    )
    many = unknown_name("POP", "\x1b" * 1000, map(str, range(1000)))
    assert many.isprintable()
    assert many.endswith(", …")
    assert many.count(", ") == NAMES_LISTED


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9.-]{0,9}", fullmatch=True), st.floats(0, 65)))
def test_loads_are_read_as_they_are_written(loads):
    text = ", ".join(f"{pop}={load!r}" for pop, load in loads.items())
    assert suppositions.loads(suppositions.items(text)) == (loads, ())


@pytest.mark.parametrize("item", ["fra", "=1", "fra=", "fra=x", "="])
def test_what_is_no_load(item):
    wrong = f"must be POP=LOAD, such as fra=0.9, not '{item}'"
    assert suppositions.loads(["ams=0.5", item, item]) == ({"ams": 0.5}, (wrong, wrong))
