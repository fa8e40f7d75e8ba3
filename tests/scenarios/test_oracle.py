"""The engine and the oracle give the same answers, on made-up zones."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.zone
from hypothesis import event, given
from hypothesis import strategies as st

from tests.engine import Engine
from tests.oracle import Expected, Oracle, Row, rows
from tests.scenarios.examples import examples

ORIGINS = ("z.test.", "a.z.test.", "b.a.z.test.", "other.", "test.", ".")
LABELS = ("a", "b", "c", "*", "A", "long" * 15)
TYPES = ("A", "AAAA", "TXT", "MX", "NS", "CNAME", "DNAME", "DS", "NSEC", "RRSIG", "SOA", "TYPE65280")
TTLS = (0, 1, 300, 3600, 2**31 - 1)

paths = st.lists(st.sampled_from(LABELS), max_size=4)


def _below(labels: list[str], origin: str) -> str:
    """The name, absolute; the origin where it would be too long."""
    text = ".".join((*labels, "" if origin == "." else origin)) or origin
    try:
        dns.name.from_text(text)
    except dns.name.NameTooLong:
        return origin
    return text


names = st.builds(_below, paths, st.sampled_from((*ORIGINS, "out.invalid.")))


@dataclass(frozen=True)
class Record:
    """One RRset of one record."""

    owner: dns.name.Name
    ttl: int
    rtype: str
    rdata: str


@st.composite
def records(draw: st.DrawFn, origin: str) -> Record:
    """Any RRset in a zone."""
    owner = dns.name.from_text(draw(st.builds(_below, paths, st.just(origin))))
    rtype = draw(
        st.sampled_from(("A", "A", "AAAA", "TXT", "MX", "NS", "NS", "CNAME", "CNAME", "DNAME", "DS"))
    )
    target = draw(names)
    rdata = {
        "A": f"192.0.2.{len(target) % 256}",
        "AAAA": "2001:db8::1",
        "TXT": f'"{draw(st.sampled_from("xyz"))}"',
        "MX": f"10 {target}",
        "DS": "1 8 2 " + "ab" * 32,
    }.get(rtype, target)
    return Record(owner, draw(st.sampled_from(TTLS)), rtype, rdata)


def _fits(record: Record, chosen: list[Record], origin: dns.name.Name) -> bool:
    """Whether it may stand beside the others (RFC 1034 section 3.6.2, RFC 6672 section 2.4)."""
    beside = {other.rtype for other in chosen if other.owner == record.owner}
    if record.rtype in beside - {"NS", "TXT"} or "CNAME" in beside or (record.rtype == "CNAME" and beside):
        return False
    if record.rtype in ("NS", "DNAME") and record.owner.labels[0] == b"*":
        return False
    return record.owner == origin or not {"NS", "DNAME"} <= beside | {record.rtype}


@st.composite
def zone_texts(draw: st.DrawFn, origin: str) -> str:
    """A valid zone as a master file."""
    apex = dns.name.from_text(origin)
    minimum = draw(st.sampled_from((0, 60, 3600)))
    chosen = [
        Record(
            apex, draw(st.sampled_from(TTLS)), "SOA", f"ns.out.invalid. host.out.invalid. 1 2 3 4 {minimum}"
        ),
        Record(apex, draw(st.sampled_from(TTLS)), "NS", draw(names)),
    ]
    for record in draw(st.lists(records(origin), max_size=14)):
        if _fits(record, chosen, apex):
            same = [
                other.ttl for other in chosen if (other.owner, other.rtype) == (record.owner, record.rtype)
            ]
            ttl = same[0] if same else record.ttl
            chosen.append(Record(record.owner, ttl, record.rtype, record.rdata))
    return "".join(f"{one.owner} {one.ttl} IN {one.rtype} {one.rdata}\n" for one in dict.fromkeys(chosen))


sites = st.lists(st.sampled_from(ORIGINS), min_size=1, max_size=4, unique=True).flatmap(
    lambda origins: st.fixed_dictionaries({origin: zone_texts(origin) for origin in origins})
)
"""Zones to be served together, as {origin: text}."""


def section(message_section: list) -> list[Row]:
    return sorted(one for rrset in message_section for one in rows(rrset.name, rrset))


def differs(engine: Engine, expected: Expected, name: dns.name.Name, rtype: str) -> str:
    """What is wrong with the engine's answer; empty where nothing is."""
    query = dns.message.make_query(name, rtype, use_edns=-1, flags=0)
    wire = engine.raw(query.to_wire(), "tcp")
    assert wire is not None
    answer = dns.message.from_wire(wire)
    additional = set(section(answer.additional))
    good = (
        dns.rcode.to_text(answer.rcode()) == expected.rcode
        and bool(answer.flags & dns.flags.AA) == expected.authoritative
        and section(answer.answer) == sorted(expected.answer)
        and section(answer.authority) == sorted(expected.authority)
        and set(expected.additional) <= additional <= {*expected.additional, *expected.may_add}
    )
    return "" if good else f"{name} {rtype}\nanswered {answer}\nexpected {expected}"


@examples(200)
@given(sites, st.lists(st.tuples(names, st.sampled_from(TYPES)), min_size=1, max_size=12))
def test_the_engine_answers_as_the_oracle(site: dict[str, str], questions: list[tuple[str, str]]) -> None:
    zones = [dns.zone.from_text(text, origin, relativize=False) for origin, text in site.items()]
    oracle = Oracle(zones)
    # Every owner, and a name below it, besides what was drawn.
    owners = [owner for zone in zones for owner in zone.nodes]
    drawn = [(dns.name.from_text(name), rtype) for name, rtype in questions]
    drawn += [(owner, rtype) for owner in owners for _, rtype in questions[:3]]
    below = [dns.name.from_text("b", owner) for owner in owners if len(owner.to_wire()) < 250]
    drawn += [(name, rtype) for name in below for _, rtype in questions[:2]]
    with tempfile.TemporaryDirectory() as directory:
        engine = Engine(Path(directory), site)
        for name, rtype in drawn:
            expected = oracle.ask(name, dns.rdatatype.from_text(rtype))
            event(f"{expected.rcode} {'answer' if expected.answer else 'no answer'}")
            problem = differs(engine, expected, name, rtype)
            assert not problem, problem + "\n" + "\n".join(site.values())
