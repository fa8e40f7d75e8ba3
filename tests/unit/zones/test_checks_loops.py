"""Where ALIAS records and the cnames of pools lead: to what does not exist, and back to themselves."""

import pytest

from gslb.zones.checks import loops

POOLS = """
pops: {{fra: }}
policies: {{any: [weighted]}}
pools:
{pools}
names:
{names}
checks: {{silence: [site-pool-without-monitor]}}
resolver: {{nameservers: 192.0.2.53}}
"""


def steer(**targets):
    """YAML in which each name (``__`` for a dot, ``any`` for ``*``) has a pool of its own with these cnames.

    The endpoints of the first pool are from line 5 on, one a line; each pool has one line more.
    """
    pools, names = [], []
    for label, cnames in targets.items():
        pools.append(f"  {label}: {{when_all_down: nodata, endpoints: [")
        pools += [f"    {{pop: fra, cname: {cname}}}," for cname in cnames]
        pools[-1] = pools[-1].rstrip(",") + "]}"
        name = label.replace("__", ".").replace("any.", "*.")
        names.append(f'  "{name}.example.com": {{pool: {label}, policy: any}}')
    return POOLS.format(pools="\n".join(pools), names="\n".join(names))


def test_two_aliases_at_a_name_are_an_error(checked):
    assert checked.check_one("a ALIAS b\na ALIAS c\nb A 192.0.2.1\nc A 192.0.2.1\n") == ["zone-alias 6"]
    assert checked.inspected.site is None
    assert "(first at example.com.zone:5): remove one" in checked.messages


def test_an_alias_of_what_does_not_exist(checked):
    zones = {
        "example.com": "@ ALIAS wwww\na ALIAS gone.example.net.\nb ALIAS txt.example.net.\nc ALIAS txt\n"
        "d ALIAS www.example.net.\ntxt TXT x\ne ALIAS f.example.net.\n",
        "example.net": "www A 192.0.2.1\ntxt TXT x\nf ALIAS www\n",
    }
    assert checked.check(zones) == [f"zone-dangling-target example.com:{line}" for line in (5, 6, 7, 8)]
    assert "ALIAS points to wwww.example.com., which does not exist in this zone: add it" in checked.messages
    assert "ALIAS points to txt.example.net., which has no address in zone example.net." in checked.messages


@pytest.mark.parametrize(
    ("text", "lines", "message"),
    [
        ("a ALIAS a\n", [5], "the ALIAS of a.example.com. leads to itself: nothing is ever found there"),
        ("@ ALIAS @\n", [5], "the ALIAS of example.com. leads to itself"),
        (
            "b ALIAS a\na ALIAS b\nc ALIAS a\n",
            [5],
            "b.example.com. leads back to itself by way of a.example.com.:",
        ),
        ("a CNAME b\nb ALIAS c\nc CNAME a\n", [6], "by way of c.example.com., a.example.com.: nothing"),
        ("a ALIAS b\nb ALIAS a\nc ALIAS d\nd ALIAS c\n", [5, 7], "d.example.com."),
        ("* ALIAS www\n", [5], "the ALIAS of *.example.com. leads back to itself by way of www.example.com."),
    ],
)
def test_an_alias_that_leads_back_to_itself(checked, text, lines, message):
    assert checked.check_one(text) == [f"zone-alias-loop {line}" for line in lines]
    assert message in checked.messages


def test_an_alias_loop_over_zones_is_told_of_the_zone_that_is_read_first(checked):
    zones = {"example.com": "a ALIAS b.example.net.\n", "example.net": "b CNAME c\nc ALIAS a.example.com.\n"}
    assert checked.check(zones) == ["zone-alias-loop example.com:5"]
    silenced = "checks: {zones: {example.com: {silence: [zone-alias-loop]}}}\n"
    assert checked.check(zones, silenced) == []


def test_long_loops_are_cut_short(checked):
    text = "".join(f"a{index} ALIAS a{(index + 1) % 40}\n" for index in range(40))
    assert checked.check_one(text) == ["zone-alias-loop 5"]
    assert "a5.example.com. and 34 more: nothing" in checked.messages


@pytest.mark.parametrize(
    "text",
    [
        "a ALIAS b\nb ALIAS a\nb A 192.0.2.1\n",
        "a ALIAS b\nb CNAME c\nc A 192.0.2.1\n",
        "a ALIAS b.sub\nsub NS ns1.dns.test.\nsub NS ns2.dns.test.\n",
        "a ALIAS b.d\nd DNAME example.org.\n",
        "* ALIAS www\nwww A 192.0.2.1\n",
        "a ALIAS x.ent\ny.ent A 192.0.2.1\n*.ent A 192.0.2.1\n",
    ],
)
def test_what_is_no_loop(checked, text):
    assert checked.check_one(text, "resolver: {nameservers: 192.0.2.53}\n") == []


def test_cnames_alone_are_told_of_once(checked):
    assert checked.check_one("a CNAME b\nb CNAME a\nc ALIAS a\n") == ["zone-cname-loop 5"]


def test_pools_that_lead_to_each_other(checked):
    yaml = steer(a=["b.example.com."], b=["cdn.example.org.", "a.example.com."])
    assert checked.check_one("", yaml) == ["site-cname-loop site.yaml:6"]
    assert (
        "the cname b.example.com. of pool 'a' leads name 'a.example.com.' back to itself by way of "
        "b.example.com.: a client that gets it finds nothing" in checked.messages
    )


def test_a_pool_that_leads_back_by_records(checked):
    assert checked.check_one("b CNAME c\nc CNAME a\n", steer(a=["b.example.com."])) == [
        "site-cname-loop site.yaml:6"
    ]
    found = checked.check_one("b ALIAS a\n", steer(a=["cdn.example.org.", "b.example.com."]))
    assert found == ["zone-alias-loop 5"]
    assert "by way of a.example.com.: a client that is led this way finds nothing" in checked.messages


def test_a_wildcard_that_leads_below_itself(checked):
    yaml = steer(any__w=["edge.w.example.com."])
    assert checked.check_one("", yaml) == ["site-cname-loop site.yaml:6"]
    assert "name '*.w.example.com.' back to itself by way of edge.w.example.com." in checked.messages
    assert checked.check_one("edge.w A 192.0.2.1\n", yaml) == []


def test_a_pool_that_leads_to_its_own_name_is_told_of_once(checked):
    assert checked.check_one("", steer(a=["a.example.com."])) == ["site-cname-to-itself site.yaml:8"]


def test_a_member_pool_leads_back(checked):
    yaml = steer(a=["b.example.com."], b=["a.example.com."]).replace("pool: b,", "pool: c,")
    yaml = yaml.replace("pools:\n", "pools:\n  c: {when_all_down: nodata, pools: [b]}\n", 1)
    yaml = yaml.replace("b: {when_all_down: nodata, ", "b: {policy: any, ")
    assert checked.check_one("", yaml) == ["site-cname-loop site.yaml:7"]


def test_a_cname_of_a_pool_does_not_exist(checked):
    yaml = steer(a=["www.example.com.", "wwww.example.com.", "gone.example.org."])
    assert checked.check_one("www A 192.0.2.1\n", yaml) == ["site-dangling-cname site.yaml:7"]
    assert (
        "pool 'a' answers with the cname wwww.example.com., which does not exist in zone example.com., "
        "served here: add it, or correct the cname" in checked.messages
    )
    assert checked.check_one("www A 192.0.2.1\n*.com A 192.0.2.1\nwwww TXT x\n", yaml) == []


def test_nothing_is_missing_of_a_zone_that_could_not_be_read(checked):
    assert checked.check_one("www A 192.0.2\n", steer(a=["www.example.com."])) == ["zone-syntax 5"]


def test_at_most_about_a_hundred_loops_of_pools_are_told_of(checked):
    yaml = steer(**{f"n{at}": [f"n{at ^ 1}.example.com."] for at in range(300)})
    assert checked.check_one("", yaml) == [f"site-cname-loop site.yaml:{6 + 4 * at}" for at in range(101)]


def test_what_is_followed_is_bounded(checked, monkeypatch):
    monkeypatch.setattr(loops, "MAXIMUM_NAMES", 3)
    text = "".join(f"a{index} ALIAS a{index}\n" for index in range(9))
    assert len(checked.check_one(text)) == 3
    monkeypatch.undo()
    monkeypatch.setattr(loops, "MAXIMUM_ON_LOOPS", 4)
    assert len(checked.check_one(text)) == 4
    monkeypatch.undo()
    monkeypatch.setattr(loops, "MAXIMUM_STEPS", 2)
    chain = "a ALIAS b\nb CNAME c\nc CNAME d\nd CNAME a\n"
    assert checked.check_one(chain) == []
