"""Pools of CNAMEs (RFC 1034 section 3.6.2), and RRsets that endpoints declare."""

from itertools import pairwise

import dns.flags
import dns.message
import dns.rcode
import pytest

from tests.engine import APEX, Engine, rows

ZONE = f"{APEX}cdn-a A 192.0.2.50\nwww A 192.0.2.99\nwww TXT own\napex ALIAS www\nmail A 192.0.2.98\n"
LONG = "192.0.2.128/25"


def steering(when_all_down: str = "fallback") -> dict:
    rules = [{"kind": "subnet", "value": LONG, "units": [1]}, {"kind": "default", "value": "", "units": [0]}]
    return {
        "pops": [{"name": "one"}, {"name": "two"}],
        "pools": [
            {
                "name": "cdn",
                "when_all_down": when_all_down,
                "endpoints": [
                    {"pop": 0, "cname": "cdn-a.ex.", "weight": 1},
                    {"pop": 1, "cname": "customer.cdn-b.example.", "weight": 1},
                ],
            },
            {
                "name": "mail",
                "when_all_down": "fallback",
                "endpoints": [
                    {"pop": pop, "weight": 1, "records": [{"type": 15, "rdata": ["000a026d7802657800", own]}]}
                    for pop, own in ((0, "000a036d783102657800"), (1, "000a036d783202657800"))
                ],
            },
        ],
        "policies": [
            {"name": "near", "steps": [{"step": "geo", "mode": "prefer", "rules": rules}]},
            {"name": "all", "steps": []},
        ],
        "names": [
            {"name": "www.ex.", "pool": 0, "policy": 0, "ttl": 30},
            {"name": "mail.ex.", "pool": 1, "policy": 1, "ttl": 30},
            {"name": "plain.ex.", "pool": 0, "policy": 0, "ttl": 30, "client_subnet": False},
        ],
    }


@pytest.fixture
def engine(tmp_path):
    return Engine(tmp_path, {"ex.": f"$ORIGIN ex.\n$TTL 300\n{ZONE}"}, steering())


def test_a_pool_of_cnames_answers_every_type_and_is_followed(engine):
    answer = engine.ask("www.ex.", "A", subnet="192.0.2.1/32")
    assert rows(answer.answer) == ["cdn-a.ex. 300 A 192.0.2.50", "www.ex. 30 CNAME cdn-a.ex."]
    assert [option.scopelen for option in answer.options] == [25]
    assert rows(engine.ask("www.ex.", "TXT").answer) == ["www.ex. 30 CNAME cdn-a.ex."]
    assert rows(engine.ask("www.ex.", "CNAME").answer) == ["www.ex. 30 CNAME cdn-a.ex."]
    assert rows(engine.ask("www.ex.", "ANY").answer) == ["www.ex. 30 CNAME cdn-a.ex."]
    other = engine.ask("www.ex.", "A", subnet="192.0.2.129/32")
    assert rows(other.answer) == ["www.ex. 30 CNAME customer.cdn-b.example."]


def test_an_alias_leads_through_a_steered_cname(engine):
    assert rows(engine.ask("apex.ex.", "A").answer) == ["apex.ex. 30 A 192.0.2.50"]


def test_without_a_serving_cname_the_zone_answers(engine):
    engine.set_verdict(0, 1)
    assert rows(engine.ask("www.ex.", "A").answer) == ["www.ex. 30 CNAME customer.cdn-b.example."]
    engine.set_verdict(1, 1)
    assert rows(engine.ask("www.ex.", "A").answer) == ["www.ex. 30 A 192.0.2.99"]
    assert rows(engine.ask("www.ex.", "TXT").answer) == ['www.ex. 30 TXT "own"']


@pytest.mark.parametrize(
    ("declared", "rcode"), [("nodata", dns.rcode.NOERROR), ("servfail", dns.rcode.SERVFAIL)]
)
def test_all_cnames_down_as_declared(tmp_path, declared, rcode):
    engine = Engine(tmp_path, {"ex.": f"$ORIGIN ex.\n$TTL 300\n{ZONE}"}, steering(declared))
    engine.set_verdict(0, 1)
    engine.set_verdict(1, 1)
    answer = engine.ask("www.ex.", "A")
    assert (answer.rcode(), answer.answer) == (rcode, [])


def test_client_subnet_false_asks_for_the_resolver(engine):
    answer = engine.ask("plain.ex.", "CNAME", client="127.0.0.1", subnet="192.0.2.129/32")
    assert rows(answer.answer) == ["plain.ex. 30 CNAME cdn-a.ex."]
    assert [option.scopelen for option in answer.options] == [0]


def test_declared_records_are_one_rrset_without_duplicates(engine):
    assert rows(engine.ask("mail.ex.", "MX").answer) == [
        "mail.ex. 30 MX 10 mx.ex.",
        "mail.ex. 30 MX 10 mx1.ex.",
        "mail.ex. 30 MX 10 mx2.ex.",
    ]
    assert rows(engine.ask("mail.ex.", "A").answer) == ["mail.ex. 300 A 192.0.2.98"]
    assert rows(engine.ask("mail.ex.", "ANY").answer) == ['mail.ex. 3600 HINFO "RFC8482" ""']
    engine.set_verdict(2, 1)
    engine.set_verdict(3, 1)
    assert engine.ask("mail.ex.", "MX").answer == []


def test_what_if_changes_nothing(engine):
    steer = engine.dataplane.explain("www.ex.", 1, "127.0.0.1", None, bytes([1, 0, 0, 0]))
    assert "customer.cdn-b.example." in steer
    assert rows(engine.ask("www.ex.", "CNAME").answer) == ["www.ex. 30 CNAME cdn-a.ex."]
    for verdicts, loads in ((bytes(3), None), (None, bytes(2)), (None, bytes(3)), (bytes([3] * 4), None)):
        with pytest.raises(ValueError):
            engine.dataplane.explain("www.ex.", 1, "127.0.0.1", None, verdicts, loads)


def test_what_stands_in_for_a_steered_cname_has_its_scope_and_ttl_for_every_type(tmp_path):
    """A fence leaves clients elsewhere nothing: for ANY and ALIAS too that holds for them, and no longer."""
    document = steering()
    rules = [{"kind": "subnet", "value": LONG, "units": [1]}]
    document["policies"][0]["steps"] = [{"step": "geo", "mode": "fence", "rules": rules}]
    zone = ZONE.replace("www TXT own\n", "www ALIAS cdn-a\n")
    engine = Engine(tmp_path, {"ex.": f"$ORIGIN ex.\n$TTL 300\n{zone}"}, document)
    for rtype in ("A", "TXT", "ANY", "TYPE65401"):
        answer = engine.ask("www.ex.", rtype, subnet="192.0.2.1/32")
        assert [option.scopelen for option in answer.options] == [25], rtype
        assert {rrset.ttl for rrset in (*answer.answer, *answer.authority)} == {30}, rtype
    assert rows(engine.ask("www.ex.", "ANY", subnet="192.0.2.1/32").answer) == [
        'www.ex. 30 HINFO "RFC8482" ""'
    ]


def test_a_failure_is_not_truncated(tmp_path):
    """What a chain had of records is left out, so that a retry over TCP would bring no more."""
    names = [".".join(letter * 60 for letter in (one, two, "x")) for one, two in ("ab", "cd", "ef", "gh")]
    chain = "".join(f"{name} CNAME {after}\n" for name, after in pairwise([*names, "www"]))
    engine = Engine(tmp_path, {"ex.": f"$ORIGIN ex.\n$TTL 300\n{ZONE}{chain}"}, steering("servfail"))
    assert engine.ask(f"{names[0]}.ex.", "A", edns=False).flags & dns.flags.TC
    engine.set_verdict(0, 1)
    engine.set_verdict(1, 1)
    answer = engine.ask(f"{names[0]}.ex.", "A", edns=False)
    assert (answer.rcode(), answer.answer) == (dns.rcode.SERVFAIL, [])
    assert not answer.flags & dns.flags.TC
    assert engine.dataplane.counters()["truncated"] == 1


def test_a_dname_that_only_stood_at_a_steered_name_is_told_where_it_leads_on(tmp_path):
    document = steering()
    document["pools"][0]["endpoints"] = [{"pop": 0, "cname": "x.www.ex.", "weight": 1}]
    zone = f"{APEX}www DNAME o\nx.o A 192.0.2.7\n"
    engine = Engine(tmp_path, {"ex.": f"$ORIGIN ex.\n$TTL 300\n{zone}"}, document)
    for rtype in ("A", "DNAME"):
        assert "www.ex. 300 DNAME o.ex." in rows(engine.ask("www.ex.", rtype).answer), rtype


def test_thousands_of_declared_records_are_each_told_once(tmp_path):
    document = steering()
    document["pools"][1]["endpoints"] = [
        {"pop": 0, "weight": 1, "records": [{"type": 16, "rdata": texts}]}
        for texts in (
            [f"04{number:08x}" for number in range(start, start + 64)] for start in range(0, 1_280, 40)
        )
    ]
    engine = Engine(tmp_path, {"ex.": f"$ORIGIN ex.\n$TTL 300\n{ZONE}"}, document)
    query = dns.message.make_query("mail.ex.", "TXT").to_wire()
    wire = engine.raw(query, "tcp")
    assert int.from_bytes(wire[6:8]) == 1_240 + 64
    assert len(dns.message.from_wire(wire).answer[0]) == 1_240 + 64
