"""SPF, DMARC and CAA records, good and bad."""

import pytest

from gslb.zones.checks.caa import caa_problems
from gslb.zones.checks.dmarc import dmarc_problems, is_dmarc
from gslb.zones.checks.spf import count_lookups, is_spf, nearly_spf, spf_problems

MAIL = "v=DMARC1; p=none"


@pytest.mark.parametrize(
    "terms",
    [
        "",
        "-all",
        "+a -mx ?ptr ~all",
        "a:mail.example.com/24//64 mx/0 mx//128 a/32",
        "ip4:192.0.2.0/24 ip4:192.0.2.1 ip6:2001:db8::/32 ip6:::1",
        "include:_spf.example.com redirect=example.com.",
        "exists:%{ir}.%{l1r+-}._spf.%{d} exp=explain._spf.%{d2}",
        "A:EXAMPLE.com INCLUDE:example.com -ALL",
        "  mx   -all ",
        "x-tracking=a%%b%_c moo=",
        "ptr:example.com",
        "include:xn--e1afmkfd.xn--p1ai",
    ],
)
def test_spf_that_rfc_7208_allows(terms):
    assert list(spf_problems(f"v=spf1 {terms}")) == []


@pytest.mark.parametrize(
    ("terms", "part"),
    [
        ("ipv4:192.0.2.1", "did you mean 'ip4'"),
        ("all:x", "no argument"),
        ("include", "needs a domain"),
        ("include:", "two labels"),
        ("include:com", "two labels"),
        ("include:a.123", "two labels"),
        ("a:", "no domain"),
        ("a:x/24", "two labels"),
        ("a/33", "/33 is no IPv4"),
        ("a//129", "//129 is no IPv6"),
        ("a/08", "/08 is no IPv4"),
        ("ip4", "needs an address"),
        ("ip4:2001:db8::1", "no IPv4 address"),
        ("ip4:192.0.2.1/33", "0 to 32"),
        ("ip4:192.0.2.01", "no IPv4 address"),
        ("ip6:fe80::1%eth0", "no IPv6 address"),
        ("ip6:::/129", "0 to 128"),
        ("exists:%{x}.example.com", "macro"),
        ("a=example.com", "takes a colon"),
        ("redirect=example.com redirect=example.com", "redirect= stands twice"),
        ("-all mx", "never looked at"),
        ("redirect=a.example -all", "redirect= is never"),
        ("--all", "no mechanism"),
        ("mx;", "no mechanism"),
        ("x=\u00e9", "macro string"),
        ("a " * 3000, "4096"),
    ],
)
def test_spf_that_it_does_not_allow(terms, part):
    problems = list(spf_problems(f"v=spf1 {terms}"))
    assert len(problems) == 1
    assert part in problems[0]


def test_what_is_meant_as_spf():
    assert is_spf("V=SPF1 -all")
    assert is_spf("v=spf1")
    for text in ("v=spf1; -all", "v=spf -all", '"v=spf1 -all', " v=spf1 -all", "v=spf10 -all"):
        assert not is_spf(text)
        assert nearly_spf(text), text
    for text in ("spf2.0/pra -all", "v=spf2.0/mfrom -all", "", "google-site-verification=v=spf1"):
        assert not nearly_spf(text), text


def test_lookups_are_followed_and_bounded():
    assert count_lookups("v=spf1 a mx ip4:192.0.2.1 include:x.example exists:y.example -all", {}) == 4
    known = {"a.example.": "v=spf1 mx include:b.example", "b.example.": "v=spf1 a ptr redirect=a.example."}
    assert count_lookups("v=spf1 include:A.example", known) == 6
    chain = {f"n{i}.example.": f"v=spf1 include:n{i + 1}.example" for i in range(5000)}
    assert 10 < count_lookups("v=spf1 include:n0.example", chain) < 30


@pytest.mark.parametrize(
    "text",
    [
        MAIL,
        "v=DMARC1;p=reject;",
        "v = DMARC1 ; p = Quarantine ; pct = 0 ; sp=none; adkim=s; aspf=r; fo=1:d:s; rf=afrf; ri=86400",
        "v=DMARC1; p=none; rua=mailto:a@example.com!10m,https://example.com/x; ruf=mailto:b@example.com",
        "v=DMARC1; p=none; np=reject; psd=n; t=y",
    ],
)
def test_dmarc_that_rfc_7489_allows(text):
    assert is_dmarc(text)
    assert list(dmarc_problems(text)) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("v=DMARC1", "p is missing"),
        ("v=DMARC1; rua=mailto:a@example.com; p=none", "right after"),
        ("v=DMARC1; p=nothing", "none or quarantine or reject"),
        (f"{MAIL}; pct=101", "0 to 100"),
        (f"{MAIL}; pct=-1", "0 to 100"),
        (f"{MAIL}; p=none", "twice"),
        (f"{MAIL}; adkm=s", "did you mean 'adkim'"),
        (f"{MAIL}; rua=a@example.com", "URIs such as"),
        (f"{MAIL}; rua=mailto:nobody", "URIs such as"),
        (f"{MAIL}; ruf=http://[", "unusable URI"),
        (f"{MAIL}; fo=2", "0, 1, d and s"),
        (f"{MAIL}; aspf=x", "r or s"),
        (f"{MAIL}; reject", "not tag=value"),
        (f"{MAIL};; sp=none", "two semicolons"),
        (MAIL + " " * 5000 + "\u00e9", "4096"),
    ],
)
def test_dmarc_that_it_does_not_allow(text, part):
    problems = list(dmarc_problems(text))
    assert len(problems) == 1, problems
    assert part in problems[0]


@pytest.mark.parametrize("text", ["v=dmarc1; p=none", "p=none; v=DMARC1", "v=DMARC10; p=none", ""])
def test_what_is_no_dmarc(text):
    assert not is_dmarc(text)


def caa(flags, tag, value):
    return bytes([flags, len(tag)]) + tag.encode() + value.encode("latin-1")


@pytest.mark.parametrize(
    ("flags", "tag", "value"),
    [
        (0, "issue", "ca.example.net"),
        (128, "ISSUE", "ca1.example.net; account=230123 ; policy=ev"),
        (0, "issuewild", ";"),
        (0, "issue", ""),
        (0, "issue", "ca.example.net;"),
        (0, "issuemail", "ca.example.net"),
        (0, "iodef", "mailto:security@example.com"),
        (0, "iodef", "https://iodef.example.com/"),
        (0, "contactemail", "a@example.com"),
        (0, "contactphone", "+1 555 0100"),
    ],
)
def test_caa_that_rfc_8659_allows(flags, tag, value):
    assert list(caa_problems(caa(flags, tag, value))) == []


@pytest.mark.parametrize(
    ("flags", "tag", "value", "part"),
    [
        (1, "issue", "ca.example.net", "0 or 128"),
        (0, "isue", "ca.example.net", "did you mean 'issue'"),
        (128, "future", "x", "no authority may issue"),
        (0, "is-sue", "x", "letters and digits"),
        (0, "", "x", "letters and digits"),
        (0, "issue", "https://ca.example.net", "domain name"),
        (0, "issue", "ca..example.net", "domain name"),
        (0, "issue", "ca.example.net; policy", "tag=value"),
        (0, "issue", "ca.example.net account=1", "domain name"),
        (0, "iodef", "security@example.com", "mailto:"),
        (0, "iodef", "ftp://example.com/", "mailto:"),
        (0, "iodef", "http://", "mailto:"),
        (0, "iodef", "http://[", "must be a URL"),
        (0, "contactemail", "nobody", "mail address"),
        (0, "contactphone", "ask", "telephone"),
    ],
)
def test_caa_that_it_does_not_allow(flags, tag, value, part):
    problems = list(caa_problems(caa(flags, tag, value)))
    assert len(problems) == 1
    assert part in problems[0]


def test_caa_that_is_cut_short():
    assert list(caa_problems(b"\x00")) == ["is too short"]
    assert list(caa_problems(b"\x00\x05abc")) == ["is too short"]


def test_findings_stand_at_the_record(checked):
    text = (
        '@ TXT "v=spf1 -a" "ll"\n@ TXT "v=spf1 mx"\na TXT "v=spf1 ipv4:192.0.2.1"\nb TXT "v=spf1;"\n'
        '_dmarc TXT "v=DMARC1; p=none"\n_dmarc TXT "v=DMARC1; p=reject"\n_dmarc TXT "verify=1"\n'
        '_dmarc.x TXT "v=DMARC1; p=no"\n@ CAA 0 isue "x"\n'
    )
    assert checked.check_one(text) == [
        "zone-spf-syntax 6",
        "zone-spf-syntax 7",
        "zone-spf-syntax 8",
        "zone-dmarc-syntax 10",
        "zone-dmarc-syntax 11",
        "zone-dmarc-syntax 12",
        "zone-caa-syntax 13",
    ]


def test_spf_is_followed_from_zone_to_zone(checked):
    many = " ".join(f"a:h{index}.example.org" for index in range(10))
    zones = {"example.com": '@ TXT "v=spf1 include:example.net"\n', "example.net": f'@ TXT "v=spf1 {many}"\n'}
    assert checked.check(zones) == ["zone-spf-syntax example.com:5"]
    assert "more than 10 terms" in checked.messages
