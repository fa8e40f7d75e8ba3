"""Checks take whatever a zone says."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gslb.zones.checks.caa import caa_problems
from gslb.zones.checks.dmarc import dmarc_problems
from gslb.zones.checks.spf import count_lookups, nearly_spf, spf_problems
from tests.unit.zones.checks_site import APEX

NAMES = st.sampled_from(
    ["@", "a", "*.a", "b.a", "_dmarc", "sub", "x.sub", "sub.example.com.", "example.net.", ".", "\\000.a"]
)
WORDS = st.text("vspf=DMARC1;: -~%{}/ 0a\\\t@!.,", max_size=60)
TEXTS = st.one_of(WORDS, WORDS.map("v=spf1 ".__add__), WORDS.map("v=DMARC1; ".__add__))
QUOTED = TEXTS.map(lambda text: '"' + "".join(f"\\{ord(letter):03}" for letter in text) + '"')
RDATA = st.one_of(
    NAMES.map("NS {}".format),
    NAMES.map("CNAME {}".format),
    NAMES.map("DNAME {}".format),
    NAMES.map("MX 0 {}".format),
    NAMES.map("SRV 0 0 0 {}".format),
    NAMES.map("HTTPS 1 {}".format),
    QUOTED.map("TXT {}".format),
    st.tuples(st.integers(0, 255), st.sampled_from(["issue", "iodef", "x"]), QUOTED).map(
        lambda parts: "CAA {} {} {}".format(*parts)
    ),
    st.binary(max_size=30).map(lambda octets: f"TYPE257 \\# {len(octets)} {octets.hex()}"),
    st.binary(max_size=30).map(lambda octets: f"TYPE6 \\# {len(octets)} {octets.hex()}"),
    st.sampled_from(["A 192.0.2.1", "DS 1 8 9 aa", "nonsense", "SOA a b 1 2 3 4 5"]),
)
ZONES = st.lists(st.tuples(NAMES, RDATA).map(" ".join), max_size=15).map(
    lambda lines: "\n".join(lines) + "\n"
)
YAML = """\
rules:
  policy-all:
    ttl: {A: {min: 600}, '*': {max: 10}}
    targets: {allow: [192.0.2.0/25, '*.example.com'], forbid: ['*sub*']}
    owners: {forbid: ['*a*a*']}
    forbidden_types: [DS, CAA]
    required: {caa: [ca.example.net], txt: ['v=spf1 *'], ns: 3}
"""


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ZONES, ZONES)
def test_no_zone_makes_a_check_raise(checked, one, other):
    checked.check({"example.com": APEX + one, "sub.example.com": APEX + other}, YAML)
    assert checked.inspected.findings
    assert all(finding.message for finding in checked.inspected.findings)


@given(st.one_of(st.text(max_size=300), TEXTS), st.binary(max_size=300))
def test_no_text_makes_a_check_raise(text, octets):
    assert all([*spf_problems(f"v=spf1 {text}"), *dmarc_problems(text), *caa_problems(octets)])
    assert count_lookups(f"v=spf1 {text}", {"a.": text}) >= 0
    assert nearly_spf(text) in (True, False)
