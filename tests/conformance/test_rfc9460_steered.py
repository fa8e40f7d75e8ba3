"""RFC 9460: HTTPS and SVCB of steered names, whose hints are the addresses that the client would get."""

import dns.message
import pytest

from tests.engine import APEX, Engine, rows

ZONE = f"""{APEX}
www HTTPS 1 . alpn=h2 ipv4hint=192.0.2.99 ipv6hint=2001:db8::99
www HTTPS 2 www.ex. mandatory=port,ipv4hint port=8443 ipv4hint=192.0.2.98
www HTTPS 3 other.ex. ipv4hint=192.0.2.97
www SVCB 1 . alpn=dot
v4 HTTPS 1 . mandatory=ipv6hint ipv4hint=192.0.2.99 ipv6hint=2001:db8::99
own HTTPS 1 . ipv4hint=192.0.2.99
"""
TWINS = """
www SVCB 1 . alpn=h2 ipv4hint=192.0.2.98
www SVCB 1 . alpn=h2 ipv4hint=192.0.2.99
www SVCB 1 . alpn=h2
www SVCB 1 . alpn=h3 ipv4hint=192.0.2.98
www SVCB 2 . alpn=h2 ipv4hint=192.0.2.98
"""


def steering() -> dict:
    near = [
        {"kind": "subnet", "value": "198.51.100.0/25", "units": [1]},
        {"kind": "default", "value": "", "units": [0]},
    ]
    return {
        "pops": [{"name": "fra"}, {"name": "ams"}],
        "pools": [
            {
                "name": "web",
                "when_all_down": "fallback",
                "endpoints": [
                    {"pop": 0, "address": "192.0.2.1", "weight": 1},
                    {"pop": 1, "address": "192.0.2.2", "weight": 1},
                    {"pop": 0, "address": "2001:db8::1", "weight": 1},
                    {"pop": 1, "address": "2001:db8::2", "weight": 1},
                ],
            },
            {
                "name": "v4",
                "when_all_down": "fallback",
                "endpoints": [{"pop": 0, "address": "192.0.2.3", "weight": 1}],
            },
            {
                "name": "own",
                "when_all_down": "fallback",
                "endpoints": [
                    {
                        "pop": 0,
                        "address": "192.0.2.4",
                        "weight": 1,
                        "records": [{"type": 65, "rdata": ["000500"]}],
                    }
                ],
            },
        ],
        "policies": [{"name": "near", "steps": [{"step": "geo", "mode": "prefer", "rules": near}]}],
        "names": [
            {"name": "www.ex.", "pool": 0, "policy": 0, "ttl": 30},
            {"name": "v4.ex.", "pool": 1, "policy": 0, "ttl": 30},
            {"name": "own.ex.", "pool": 2, "policy": 0, "ttl": 30},
        ],
    }


@pytest.fixture
def engine(tmp_path):
    return Engine(tmp_path, {"ex.": f"$ORIGIN ex.\n$TTL 300\n{ZONE}"}, steering())


def test_hints_are_the_addresses_for_this_client(engine):
    answer = engine.ask("www.ex.", "HTTPS", client="198.51.100.1", subnet="198.51.100.1/32")
    assert rows(answer.answer) == [
        'www.ex. 30 HTTPS 1 . alpn="h2" ipv4hint="192.0.2.2" ipv6hint="2001:db8::2"',
        'www.ex. 30 HTTPS 2 www.ex. mandatory="port,ipv4hint" port="8443" ipv4hint="192.0.2.2"',
        'www.ex. 30 HTTPS 3 other.ex. ipv4hint="192.0.2.97"',
    ]
    assert [option.scopelen for option in answer.options] == [25]


def test_a_hint_without_an_answer_is_left_out(engine):
    engine.set_verdict(2, 1)
    engine.set_verdict(3, 1)
    assert rows(engine.ask("www.ex.", "HTTPS").answer)[0] == (
        'www.ex. 30 HTTPS 1 . alpn="h2" ipv4hint="192.0.2.1"'
    )
    # And is not mandatory any more (section 8).
    assert rows(engine.ask("v4.ex.", "HTTPS").answer) == ['v4.ex. 30 HTTPS 1 . ipv4hint="192.0.2.3"']


def test_records_without_hints_stay_as_they_are(engine):
    assert rows(engine.ask("www.ex.", "SVCB").answer) == ['www.ex. 300 SVCB 1 . alpn="dot"']


def test_what_an_endpoint_declares_comes_first(engine):
    assert rows(engine.ask("own.ex.", "HTTPS").answer) == ["own.ex. 30 HTTPS 5 ."]


def test_any_never_gives_what_steering_answers_otherwise(engine):
    assert rows(engine.ask("own.ex.", "ANY").answer) == ['own.ex. 3600 HINFO "RFC8482" ""']


def test_records_that_differ_in_their_hints_only_are_one(tmp_path):
    """No RRset has a record twice (RFC 2181 section 5)."""
    zone = f"$ORIGIN ex.\n$TTL 300\n{ZONE}{TWINS}".replace("www SVCB 1 . alpn=dot\n", "")
    engine = Engine(tmp_path, {"ex.": zone}, steering())
    for is_down, hint in ((False, ' ipv4hint="192.0.2.1"'), (True, "")):
        engine.set_verdict(0, is_down)
        engine.set_verdict(1, is_down)
        wire = engine.raw(dns.message.make_query("www.ex.", "SVCB").to_wire())
        found = [row.removeprefix("www.ex. 30 SVCB ") for row in rows(dns.message.from_wire(wire).answer)]
        assert int.from_bytes(wire[6:8]) == len(found), "dnspython leaves out what stands there twice"
        expected = {f'1 . alpn="{alpn}"{hint}' for alpn in ("h2", "h3")} | {f'2 . alpn="h2"{hint}'}
        assert found == sorted(expected | {'1 . alpn="h2"'})


def test_a_mandatory_of_many_keys_names_only_what_is_there(tmp_path):
    keys = [4, 6, *range(100, 140)]
    values = "ipv4hint=192.0.2.9 ipv6hint=2001:db8::9 " + " ".join(f"key{key}=x" for key in keys[2:])
    named = ",".join({4: "ipv4hint", 6: "ipv6hint"}.get(key, f"key{key}") for key in keys)
    zone = f"$ORIGIN ex.\n$TTL 300\n{ZONE}v4 SVCB 1 . mandatory={named} {values}\n"
    engine = Engine(tmp_path, {"ex.": zone}, steering())
    [rdata] = engine.ask("v4.ex.", "SVCB").answer[0]
    assert 6 not in rdata.params
    assert list(rdata.params[0].keys) == [key for key in keys if key != 6]
