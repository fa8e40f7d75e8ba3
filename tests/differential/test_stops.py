"""Why a peer stops before the whole answer: each reason where its facts hold, and not where they do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from tests.differential.compare import SILENT, Answer, differences, parse
from tests.differential.known import KNOWN, Seen, name_of
from tests.differential.queries import A_RECORD, Case, header, opt, question
from tests.differential.stops import STOPS
from tests.differential.zones import Record, ZoneData
from tests.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable

APEX = ("@ 300 SOA ns.out.invalid. host.out.invalid. 1 2 3 4 60", "@ 300 NS ns.out.invalid.")


def zone(origin: str, *lines: str) -> ZoneData:
    """A zone of these lines, each ``owner ttl type rdata``, and an SOA and NS."""
    apex = dns.name.from_text(origin)
    records = []
    for line in (*APEX, *lines):
        owner, ttl, rtype, rdata = line.split(maxsplit=3)
        name = apex if owner == "@" else dns.name.from_text(owner, apex)
        records.append(Record(name, int(ttl), rtype, rdata))
    return ZoneData(apex, records, "".join(f"{record}\n" for record in records))


def asked(name: str, rtype: str = "A", *, edns: int = 0, transport: str = "udp", odd: str = "") -> Case:
    """A query; ``edns`` is the payload size, 0 for none."""
    owner = dns.name.from_text(name)
    number = int(dns.rdatatype.from_text(rtype))
    beside = A_RECORD if odd == "arcount-1" else b""
    extra = opt(edns) if edns else beside
    wire = header(0, 0, (1, 0, 0, int(bool(extra)))) + question(owner.to_wire(), number) + extra
    return Case(owner, number, wire, transport, odd)


def said(case: Case, rcode: str = "NOERROR", *answer: str, authority: str = "", flags: str = "AA") -> Answer:
    """What a peer said; the lines are ``owner ttl type rdata``, and one line may stand there twice."""
    message = dns.message.make_response(dns.message.from_wire(case.wire))
    message.flags = dns.flags.from_text(f"QR {flags}")
    message.set_rcode(dns.rcode.from_text(rcode))
    for lines, section in ((answer, message.answer), ([authority] if authority else [], message.authority)):
        for line in lines:
            owner, ttl, rtype, rdata = line.split(maxsplit=3)
            section.append(dns.rrset.from_text(owner, int(ttl), "IN", rtype, rdata))
    return parse(message.to_wire())


@pytest.fixture
def names(tmp_path) -> Callable[..., set[str | None]]:
    """The names of all differences from what these peers said, and None for an unnamed one."""

    def of(
        zones: list[ZoneData], case: Case, *, ours: Answer | None = None, **peers: Answer
    ) -> set[str | None]:
        engine = Engine(tmp_path, {str(zone.origin): zone.text for zone in zones})
        answer = ours or parse(engine.raw(case.wire, case.transport))
        return {
            name_of(Seen(case, difference, answer, peers, zones))
            for difference in differences(case, answer, peers)
        }

    return of


def test_each_has_a_known_name():
    known = {known.name for known in KNOWN}
    assert all(name in known for stops in STOPS.values() for name, _ in stops)
    # Where no rule of its own matches, a peer stops for it.
    used = {name for stops in STOPS.values() for name, _ in stops}
    assert all(known.matches is not None or known.name in used for known in KNOWN)


CHILD = zone("z.test.", "*.www 60 CNAME a.other.example.")
OTHER = zone("other.example.", "b 60 A 192.0.2.1")
LED_OUT = "b.www.z.test. 60 CNAME a.other.example."
NODATA = "z.test. 60 SOA ns.out.invalid. host.out.invalid. 1 2 3 4 60"


def test_a_name_of_the_parent_hides_the_wildcard_of_the_child_from_nsd(names):
    case = asked("b.www.z.test.", "NS")
    peers = {"nsd": said(case, "NOERROR", authority=NODATA)}
    peers |= {"knot": said(case, "NOERROR", LED_OUT), "bind": said(case, "NOERROR", LED_OUT)}
    parent = zone("test.", "b.www.z 60 NS ns.out.invalid.")
    assert names([CHILD, OTHER, parent], case, **peers) == {
        "chase-across-zones and one-tree-of-nsd",
        "chase-across-zones",
    }
    assert None in names([CHILD, OTHER, zone("test.")], case, **peers)


def test_a_name_of_the_child_hides_the_wildcard_of_the_parent_from_nsd(names):
    parent = zone("test.", "cut 60 NS ns.b.a", "a 60 NS ns.out.invalid.", "*.a 60 AAAA 2001:db8::1")
    case = asked("www.cut.test.")
    without_glue = said(case, authority="cut.test. 60 NS ns.b.a.test.", flags="")
    peers = {"nsd": without_glue, "knot": without_glue, "bind": without_glue}
    assert names([parent, zone("a.test.", "c.b 60 A 192.0.2.1")], case, **peers) == {"one-tree-of-nsd"}
    assert names([parent, zone("a.test.", "c.c 60 A 192.0.2.1")], case, **peers) == {None}


def test_nsd_takes_ds_from_whichever_zone_delegates(names):
    child = zone("b.z.test.")
    upper = zone("test.", "z 60 NS ns.out.invalid.", "b.z 60 NS ns.out.invalid.")
    alias = "b.z.test. 60 CNAME c.b.z.test."
    case = asked("b.z.test.", "DS")
    peers = {
        "nsd": said(case, authority="z.test. 60 NS ns.out.invalid.", flags=""),
        "knot": said(case, "NOERROR", alias, authority=NODATA),
        "bind": said(case, "NOERROR", alias),
    }
    parent = zone("z.test.", "b 60 CNAME c.b.z.test.")
    assert None not in names([child, parent, upper], case, **peers)
    assert None in names([child, parent, zone("test.", "z 60 NS ns.out.invalid.")], case, **peers)


def test_knot_goes_on_in_its_own_zone(names):
    zones = [
        zone("z.test.", "*.www 60 CNAME a.b.z.test.", "*.b 60 CNAME a.b.z.test."),
        zone("b.z.test.", "c 60 TXT c"),
        zone("test.", "b.www.z 60 NS ns.out.invalid."),
    ]
    case = asked("b.www.z.test.", "NS")
    first, second = ("b.www.z.test. 60 CNAME a.b.z.test.", "a.b.z.test. 60 CNAME a.b.z.test.")
    peers = {"nsd": said(case, authority=NODATA), "bind": said(case, "NOERROR", first)}
    assert None not in names(zones, case, knot=said(case, "NOERROR", first, second), **peers)
    other = "a.b.z.test. 60 CNAME c.b.z.test."
    assert None in names(zones, case, knot=said(case, "NOERROR", first, other), **peers)


CHAIN = zone("z.test.", *(f"l{at} 60 CNAME l{at + 1}" for at in range(13)))
LINKS = [f"l{at}.z.test. 60 CNAME l{at + 1}.z.test." for at in range(13)]


def test_records_beside_the_question_of_a_long_chain(names):
    case = asked("l0.z.test.", odd="arcount-1")
    peers = {
        "nsd": said(case, "FORMERR", flags=""),
        "knot": said(case, "NOERROR", *LINKS[:5]),
        "bind": said(case, "SERVFAIL", *LINKS[:12]),
    }
    # The code has no majority, nor the answer; the authority section of all three is empty.
    found = names([CHAIN], case, **peers)
    assert "beside-the-question and long-chain" in found
    assert None not in found
    assert None in names([CHAIN], case, **{**peers, "knot": said(case, "NOERROR", *LINKS[:4])})


def test_what_we_say_must_be_what_the_zones_hold(names):
    case = asked("l0.z.test.", odd="arcount-1")
    peers = {
        "nsd": said(case, "FORMERR", flags=""),
        "knot": said(case, "NOERROR", *LINKS[:5]),
        "bind": said(case, "SERVFAIL", *LINKS[:12]),
    }
    wrong = said(case, "NXDOMAIN", *LINKS, authority="z.test. 300 SOA a. b. 1 2 3 4 5")
    assert None in names([CHAIN], case, ours=wrong, **peers)


def test_nsd_follows_further_than_we(names):
    zones = [zone("z.test.", *(f"l{at} 60 CNAME l{at + 1}" for at in range(19)), "l19 60 CNAME l0")]
    links = [f"l{at}.z.test. 60 CNAME l{(at + 1) % 20}.z.test." for at in range(20)]
    case = asked("l0.z.test.", "TYPE0")
    peers = {
        "knot": said(case, "NOTIMP", flags=""),
        "bind": said(case, "SERVFAIL", flags="AA TC"),
    }
    found = names(zones, case, nsd=said(case, "NOERROR", *links), **peers)
    assert found == {"long-chain and type-zero"}
    assert None in names(zones, case, nsd=said(case, "NOERROR", *links[:14]), **peers)


LONG = ".".join(["a" * 60] * 3)
FAR = f"{LONG}.z.test."
DNAME = zone("z.test.", f"d 60 DNAME {FAR}")


def test_knot_looks_no_further_than_the_record_without_room(names):
    zones = [DNAME, zone("test.", f"*.{LONG}.z 60 A 192.0.2.1")]
    name = f"{'b' * 40}.d.z.test."
    case = asked(name, edns=512)
    made = f"d.z.test. 60 DNAME {FAR}"
    peers = {
        "nsd": said(case, "NOERROR", made, flags="AA TC"),
        "knot": said(case, "NOERROR", made, flags="AA TC"),
        "bind": said(case, "NXDOMAIN", flags="AA TC"),
    }
    assert names(zones, case, **peers) == {"one-tree-of-nsd and what-fits-a-datagram"}
    # Without the parent's wildcard NSD has no reason for its code.
    assert names([DNAME], case, **peers) == {None}


def test_an_answer_that_fits_compressed_only(names):
    far = [f"{letter * 60}.{LONG}.z.test." for letter in "bc"]
    zones = [zone("z.test.", f"d 60 CNAME {far[0]}", f"{far[0]} 60 CNAME {far[1]}")]
    lines = [f"d.z.test. 60 CNAME {far[0]}", f"{far[0]} 60 CNAME {far[1]}"]
    case = asked("d.z.test.", "TXT")
    full = said(case, "NXDOMAIN", lines[0], flags="AA TC")
    peers = {"nsd": full, "knot": said(case, "NOERROR", lines[0], flags="AA TC"), "bind": full}
    found = names(zones, case, **peers)
    assert found == {"what-fits-a-datagram"}
    # Over a stream there is room, however it is compressed.
    streamed = replace(case, transport="tcp")
    assert None in names(zones, streamed, **peers)


def test_nsd_passes_a_dname_once(names):
    target = f"{'c' * 40}.{LONG}.d.z.test."
    zones = [zone("z.test.", f"d 60 DNAME {target}")]
    case = asked("b.d.z.test.", edns=512)
    made = f"d.z.test. 60 DNAME {target}"
    peers = {
        "nsd": said(case, "NOERROR", made, flags="AA TC"),
        "knot": said(case, "NOERROR", made, flags="AA TC"),
        "bind": said(case, "YXDOMAIN", flags="AA TC"),
    }
    assert names(zones, case, **peers) == {"dname-passed-once and what-fits-a-datagram"}
    ends = [zone("z.test.", f"d 60 DNAME {target.replace('.d.', '.e.')}")]
    assert None in names(ends, case, **peers)


def test_a_wildcard_that_leads_to_the_name_asked(names):
    zones = [zone("z.test.", "*.b 60 CNAME a.b.z.test.")]
    once = "a.b.z.test. 60 CNAME a.b.z.test."
    case = asked("a.b.z.test.", "AAAA")
    twice = said(case, "NOERROR", once, once)
    peers = {"nsd": twice, "knot": twice, "bind": said(case, "SERVFAIL", once)}
    assert names(zones, case, **peers) == {"record-twice"}
    other = said(case, "NOERROR", once, once, "a.b.z.test. 60 AAAA 2001:db8::1")
    assert names(zones, case, nsd=other, knot=other, bind=peers["bind"]) == {None}


def test_a_meta_type_that_bind_rejects(names):
    parent = zone("test.", "b.www.z 60 NS ns.out.invalid.")
    zones = [CHILD, zone("other.example.", "a 60 TXT a"), parent]
    case = asked("b.www.z.test.", "MAILB")
    peers = {
        "nsd": said(case, "NOERROR", authority=NODATA),
        "knot": said(case, "NOERROR", LED_OUT),
        "bind": said(case, "NOTIMP", flags=""),
    }
    found = names(zones, case, **peers)
    assert None not in found
    assert None in names(zones, asked("b.www.z.test.", "TXT"), **peers)


def test_a_stream_that_carries_less_than_a_question(names):
    ours = parse(header(0x8001, 0, (0, 0, 0, 0)))
    cut = Case(dns.name.root, 1, header() + b"\3com", "tcp", "cut-question")
    peers = {"nsd": SILENT, "knot": SILENT, "bind": ours}
    assert names([CHAIN], cut, **peers) == {"short-message-in-a-stream"}
    longer = replace(cut, wire=header() + b"\3com\0")
    assert names([CHAIN], longer, **peers) == {None}
    assert names([CHAIN], replace(cut, transport="udp"), **peers) == {None}


def test_a_notify_with_aa(names):
    name = dns.name.from_text("z.test.")
    case = Case(name, 6, header(0x0400, 4) + question(name.to_wire(), 6), odd="opcode-notify")
    peers = {
        "nsd": parse(header(0xA405, 0, (0, 0, 0, 0))),
        "knot": parse(header(0xA009) + question(name.to_wire(), 6)),
        "bind": parse(header(0xA400) + question(name.to_wire(), 6)),
    }
    assert "notify-flags" in names([CHAIN], case, **peers)
    assert "notify-flags" not in names([zone("other.example.")], case, **peers)
