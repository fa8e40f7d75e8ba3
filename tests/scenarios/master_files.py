"""Master files of every kind, for hypothesis: one zone spelt in many ways (RFC 1035 section 5, RFC 3597)."""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import dataclass, field

from hypothesis import strategies as st

ORIGIN = "example.test."
COMMENTS = ("; plain", ';( unbalanced ) "', ";", "; $TTL 7 \\")

octets = st.one_of(st.sampled_from(b'abcXYZ019-_*@$;()."\\ \t\x00\x7f\xff'), st.integers(0, 255))


@st.composite
def labels(draw: st.DrawFn) -> str:
    """A label of any octets, with escapes where they are needed and where they are not."""
    spelt = []
    for octet in draw(st.lists(octets, min_size=1, max_size=6)):
        plain = chr(octet).isascii() and (chr(octet).isalnum() or chr(octet) in "-_")
        how = draw(st.integers(0, 2)) if plain or 0x21 <= octet <= 0x7E else 2
        if how == 2 and not (plain and draw(st.booleans())):
            spelt.append(f"\\{octet:03d}")
        elif how == 1 and not chr(octet).isdigit() and not plain:
            spelt.append("\\" + chr(octet))
        else:
            spelt.append(chr(octet) if plain else "\\" + chr(octet))
    return "".join(spelt)


names = st.one_of(
    st.sampled_from(("@", ORIGIN, "www", "*", "*.wild", "NS1", ".", "else.where.")),
    labels(),
    st.lists(labels(), min_size=1, max_size=3).map(".".join),
    st.lists(labels(), min_size=1, max_size=3).map(lambda parts: ".".join(parts) + ".Example.TEST."),
)
"""Names as RDATA may have them: relative, absolute, inside and outside the zone."""

owners = names.filter(lambda name: name not in (".", "else.where."))


def _quoted(octets_: bytes) -> str:
    spelt = "".join(chr(o) if 0x20 <= o < 0x7F and o not in b'"\\' else f"\\{o:03d}" for o in octets_)
    return f'"{spelt}"'


def hexadecimal(least: int, most: int) -> st.SearchStrategy[str]:
    """Octets as hexadecimal digits."""
    return st.binary(min_size=least, max_size=most).map(bytes.hex)


def base_64(least: int, most: int) -> st.SearchStrategy[str]:
    """Octets in base 64."""
    return st.binary(min_size=least, max_size=most).map(lambda data: base64.b64encode(data).decode())


def split(text: st.SearchStrategy[str], step: int) -> st.SearchStrategy[list[str]]:
    """The same in several tokens."""
    return text.map(lambda whole: [whole[at : at + step] for at in range(0, len(whole), step)])


u8 = st.integers(0, 0xFF).map(str)
u16 = st.integers(0, 0xFFFF).map(str)
u32 = st.integers(0, 0xFFFFFFFF).map(str)
strings = st.binary(max_size=12).map(_quoted)
words = st.from_regex(r"[a-zA-Z0-9]{1,8}", fullmatch=True)
ipv4 = st.integers(0, 2**32 - 1).map(lambda value: str(ipaddress.IPv4Address(value)))
ipv6 = st.one_of(
    st.integers(0, 2**128 - 1).map(lambda value: str(ipaddress.IPv6Address(value))),
    st.sampled_from(("::", "::1", "2001:DB8::A", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8")),
)
bitmaps = st.lists(
    st.sampled_from(("A", "NS", "SOA", "MX", "AAAA", "RRSIG", "NSEC", "CAA", "TYPE1234", "TYPE65280")),
    min_size=1,
    unique=True,
)
times = st.sampled_from(("20260101000000", "20371231235959", "1767225600"))
digests = st.one_of(
    st.tuples(st.just("1"), hexadecimal(20, 20)),
    st.tuples(st.just("2"), hexadecimal(32, 32)),
    st.tuples(st.just("4"), hexadecimal(48, 48)),
)
keys = st.tuples(u16, st.just("3"), u8, base_64(3, 40))
parameters = st.lists(
    st.sampled_from(
        (
            "alpn=h2,h3",
            'alpn="h2"',
            "port=8443",
            "ipv4hint=192.0.2.1,192.0.2.2",
            "ipv6hint=2001:db8::1",
            "key667=hello",
            'key668="a\\032b"',
            "dohpath=/dns{?dns}",
        )
    ),
    unique_by=lambda text: text.partition("=")[0],
)


def _svcb() -> st.SearchStrategy[object]:
    return st.one_of(
        st.tuples(st.just("0"), names), st.tuples(st.integers(1, 0xFFFF).map(str), names, parameters)
    )


def _fields(*parts: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.tuples(*parts)


RDATA: dict[str, st.SearchStrategy[object]] = {
    "A": ipv4,
    "AAAA": ipv6,
    "NS": names,
    "CNAME": names,
    "DNAME": names,
    "PTR": names,
    "NSAP-PTR": names,
    "MX": _fields(u16, names),
    "AFSDB": _fields(u16, names),
    "RT": _fields(u16, names),
    "KX": _fields(u16, names),
    "LP": _fields(u16, names),
    "PX": _fields(u16, names, names),
    "RP": _fields(names, names),
    "SRV": _fields(u16, u16, u16, names),
    "NAPTR": _fields(u16, u16, strings, strings, strings, names),
    "TXT": st.lists(st.one_of(strings, words), min_size=1, max_size=4),
    "SPF": st.lists(strings, min_size=1, max_size=2),
    "AVC": st.lists(strings, min_size=1, max_size=2),
    "NINFO": st.lists(strings, min_size=1, max_size=2),
    "RESINFO": st.lists(strings, min_size=1, max_size=2),
    "WALLET": st.lists(strings, min_size=1, max_size=2),
    "HINFO": _fields(strings, strings),
    "ISDN": st.one_of(_fields(strings), _fields(strings, strings)),
    "X25": st.from_regex(r"[0-9]{4,8}", fullmatch=True),
    "GPOS": st.just(["-32.6882", "116.8652", "10.0"]),
    "CAA": _fields(u8, words, strings),
    "URI": _fields(u16, u16, st.binary(min_size=1, max_size=20).map(_quoted)),
    "SSHFP": st.one_of(
        _fields(st.just("1"), st.just("1"), split(hexadecimal(20, 20), 16)),
        _fields(st.just("4"), st.just("2"), split(hexadecimal(32, 32), 64)),
    ),
    "TLSA": _fields(u8, u8, st.just("0"), split(hexadecimal(1, 40), 10)),
    "SMIMEA": _fields(u8, u8, st.just("1"), split(hexadecimal(32, 32), 10)),
    "DS": _fields(u16, u8, digests),
    "CDS": _fields(u16, u8, digests),
    "DLV": _fields(u16, u8, digests),
    "DNSKEY": keys,
    "CDNSKEY": keys,
    "CERT": _fields(st.one_of(st.sampled_from(("PKIX", "SPKI", "PGP")), u16), u16, u8, base_64(1, 30)),
    "OPENPGPKEY": split(base_64(1, 40), 20),
    "DHCID": split(base_64(1, 40), 20),
    "EUI48": st.binary(min_size=6, max_size=6).map(lambda data: data.hex("-")),
    "EUI64": st.binary(min_size=8, max_size=8).map(lambda data: data.hex("-")),
    "L32": _fields(u16, ipv4),
    "L64": _fields(u16, st.just("2001:0DB8:1140:1000")),
    "NID": _fields(u16, st.just("0014:4fff:ff20:ee64")),
    "NSAP": st.binary(min_size=1, max_size=20).map(lambda data: f"0x{data.hex()}"),
    "LOC": st.sampled_from(
        (
            ["42", "21", "54", "N", "71", "06", "18", "W", "-24m", "30m"],
            ["52", "22", "23.000", "N", "4", "53", "32.000", "E", "-2.00m", "1m", "10000m", "10m"],
            ["32", "7", "19", "S", "116", "2", "25", "E", "10m"],
            ["42", "N", "71", "W", "0"],
        )
    ),
    "APL": st.lists(
        st.sampled_from(("1:192.0.2.0/24", "!1:10.0.0.0/8", "2:2001:db8::/32", "!2:::/0", "1:0.0.0.0/0")),
        min_size=1,
    ),
    "NSEC": _fields(names, bitmaps),
    "NSEC3": _fields(
        st.just("1"),
        u8,
        u16,
        st.one_of(st.just("-"), hexadecimal(1, 8)),
        st.just("2vptu5timamqttgl4luu9kg21e0aor3s"),
        bitmaps,
    ),
    "NSEC3PARAM": _fields(st.just("1"), u8, u16, st.one_of(st.just("-"), hexadecimal(1, 8))),
    "CSYNC": _fields(u32, u16, bitmaps),
    "RRSIG": _fields(
        st.sampled_from(("A", "MX", "TYPE65280")),
        u8,
        st.integers(0, 20).map(str),
        u32,
        times,
        times,
        u16,
        names,
        split(base_64(1, 60), 28),
    ),
    "ZONEMD": _fields(u32, st.just("1"), st.just("1"), split(hexadecimal(48, 48), 24)),
    "HIP": _fields(st.just("2"), hexadecimal(1, 16), base_64(1, 20), st.lists(names, max_size=2)),
    "IPSECKEY": st.one_of(
        _fields(u8, st.just("0"), st.just("2"), st.just("."), base_64(1, 20)),
        _fields(u8, st.just("1"), st.just("2"), ipv4, base_64(1, 20)),
        _fields(u8, st.just("2"), st.just("2"), ipv6, base_64(1, 20)),
        _fields(u8, st.just("3"), st.just("2"), names, base_64(1, 20)),
    ),
    "AMTRELAY": st.one_of(
        _fields(u8, st.sampled_from("01"), st.just("0"), st.just(".")),
        _fields(u8, st.sampled_from("01"), st.just("1"), ipv4),
        _fields(u8, st.sampled_from("01"), st.just("3"), names),
    ),
    "SVCB": _svcb(),
    "HTTPS": _svcb(),
}
"""RDATA of each type, as tokens that may be nested."""

generic = st.binary(max_size=30).map(
    lambda data: ["\\#", str(len(data)), *([data.hex()[:6], data.hex()[6:]] if data else [])]
)
"""RFC 3597 section 5."""


def flatten(tokens: object) -> list[str]:
    """The tokens of RDATA, in order; empty ones left out."""
    if isinstance(tokens, str):
        return [tokens] if tokens else []
    assert isinstance(tokens, list | tuple)
    return [token for part in tokens for token in flatten(part)]


@dataclass
class MasterFile:
    """A zone in one or several files."""

    text: str
    includes: dict[str, str] = field(default_factory=dict)


ttls = st.one_of(
    st.integers(0, 2**31 - 1).map(str), st.sampled_from(("0", "1h", "1H30m", "2d", "1W2D3h4M5s", "90s"))
)


@st.composite
def spelt_rdata(draw: st.DrawFn, tokens: list[str]) -> str:
    """Tokens on one line, or on several within parentheses."""
    if not draw(st.booleans()):
        return draw(st.sampled_from((" ", "\t", " \t "))).join(tokens)
    gaps = st.sampled_from((" ", "\n", "\n\t", " ; note ) (\n  ", "\n\n "))
    opened = draw(st.integers(0, len(tokens)))
    text = ""
    for index, token in enumerate(tokens):
        if index == opened:
            text += draw(st.sampled_from(("( ", "(\n ", "("))) + token
        else:
            text += (draw(gaps) if index > opened else " ") + token
    return text + (draw(gaps) + ")" if opened < len(tokens) else " (\n)")


@st.composite
def entries(draw: st.DrawFn, *, blank_allowed: bool, ttl_needed: bool) -> str:
    """One record."""
    rtype = draw(st.sampled_from(sorted(RDATA)))
    if draw(st.integers(0, 9)) == 0:
        type_text, tokens = draw(st.sampled_from(("TYPE65280", "TYPE777", "type4321"))), draw(generic)
    else:
        type_text, tokens = rtype, flatten(draw(RDATA[rtype]))
    owner = "" if blank_allowed and draw(st.integers(0, 3)) == 0 else draw(owners)
    if draw(st.booleans()):
        type_text = type_text.lower()
    ttl = draw(ttls) if ttl_needed or draw(st.booleans()) else ""
    rclass = draw(st.sampled_from(("IN", "in", "")))
    head = [part for part in draw(st.permutations((ttl, rclass))) if part]
    line = "\t".join((owner, " ".join([*head, type_text]), draw(spelt_rdata(tokens))))
    return line + draw(st.sampled_from(("", " ", " ; end", "\t;")))


@st.composite
def generates(draw: st.DrawFn) -> str:
    """One $GENERATE directive."""
    start = draw(st.integers(0, 20))
    stop = start + draw(st.integers(0, 12))
    step = draw(st.sampled_from(("", "/1", "/3")))
    modifier = draw(
        st.sampled_from(("$", "${0}", "${5,3}", "${0,3,d}", "${1,2,x}", "${0,4,o}", "${2,2,X}", "${0,3,n}"))
    )
    rtype, right = draw(
        st.sampled_from(
            (("A", "192.0.2.$"), ("CNAME", "t$.else"), ("PTR", "p${7,2}"), ("AAAA", "2001:db8::${0,1,x}"))
        )
    )
    return (
        f"$GENERATE {start}-{stop}{step} g{modifier} 300 {draw(st.sampled_from(('IN ', '')))}{rtype} {right}"
    )


@st.composite
def bodies(draw: st.DrawFn, names_of_includes: tuple[str, ...], *, known_ttl: bool) -> str:
    """Entries, directives, comments and empty lines."""
    lines: list[str] = []
    has_owner = False
    for _ in range(draw(st.integers(1, 10))):
        kind = draw(st.integers(0, 13))
        if kind <= 8:
            lines.append(draw(entries(blank_allowed=has_owner, ttl_needed=not known_ttl)))
            known_ttl = has_owner = True
        elif kind == 9:
            lines.append(f"$TTL {draw(ttls)}" + draw(st.sampled_from(("", " ; default"))))
            known_ttl = True
        elif kind == 10:
            lines.append(
                "$ORIGIN " + draw(st.sampled_from((ORIGIN, "sub", f"Sub.{ORIGIN}", f"A.\\(.{ORIGIN}")))
            )
        elif kind == 11:
            lines.append(draw(generates()))
        elif kind == 12 and names_of_includes:
            origin = draw(st.sampled_from(("", " inc." + ORIGIN)))
            lines.append(f"$INCLUDE {draw(st.sampled_from(names_of_includes))}{origin}")
        else:
            lines.append(draw(st.sampled_from((*COMMENTS, "", "   ", "\t; indented"))))
    return "\n".join(lines) + draw(st.sampled_from(("\n", "", "\n\n")))


@st.composite
def master_files(draw: st.DrawFn) -> MasterFile:
    """A whole zone: an SOA first, then anything; perhaps with files to include."""
    includes = {
        f"part{index}.inc": draw(bodies((), known_ttl=False)) for index in range(draw(st.integers(0, 2)))
    }
    soa = draw(spelt_rdata(["ns1", "host\\.master", draw(u32), *(draw(ttls) for _ in range(4))]))
    ttl = draw(st.sampled_from(("$TTL 1h\n", "")))
    first = f"@ {draw(st.integers(0, 9999))} IN SOA {soa}\n"
    return MasterFile(ttl + first + draw(bodies(tuple(includes), known_ttl=True)), includes)
