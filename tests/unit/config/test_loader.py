"""YAML files to a SteeringConfig, with every error at once."""

from ipaddress import ip_address

import pytest

from gslb.model.finding import Place
from gslb.model.site import (
    DistanceStep,
    FailoverStep,
    GeoStep,
    LatencyStep,
    LocationKind,
    Mode,
    TakeStep,
    UnknownCounts,
    WeightedStep,
    WhenAllDown,
)


def test_a_good_site_has_no_findings(site, good):
    site.write("site.yaml", good).load()
    assert site.findings == ()
    config = site.config
    assert [pop.name for pop in config.pops] == ["fra", "ams"]
    assert config.pops[0].place == Place("site.yaml", 2, 3)
    assert config.pools[0].endpoints[1].address == ip_address("192.0.2.2")
    assert config.pools[0].endpoints[1].place == Place("site.yaml", 12, 9)
    assert config.pools[0].when_all_down is WhenAllDown.NODATA
    assert config.policies[0].steps == (FailoverStep(tiers=(("fra",), ("ams",))),)
    assert config.names[0].name == "www.example.com."
    assert config.names[0].ttl == 30


def test_settings_of_every_kind(site, good):
    settings = """\
monitors:
  all:
    type: https
    port: 8443
    path: /health?deep=1
    host: www.example.com
    expect_status: [200, 204]
    verify_tls: false
    interval: 1m30s
    timeout: 500ms
    rise: 1
    fall: 5
    jitter: 0.25
pools:
  other:
    monitor: all
    when_all_down: fallback
    unknown_counts: down
    endpoints: [{pop: fra, address: "2001:db8::1", weight: 7, probe: "[::1]:8080"}]
names:
  "*.CDN.example.com.": {pool: other, policy: near, ttl: 2m, owner: team}
"""
    site.write("a.yaml", good).write("deep/er/b.yml", settings).load()
    assert site.rules("error", "warning") == []
    monitor = site.config.monitors[1]
    assert (monitor.interval, monitor.timeout, monitor.jitter) == (90.0, 0.5, 0.25)
    assert (monitor.path, monitor.host, monitor.expect_status) == (
        "/health?deep=1",
        "www.example.com",
        (200, 204),
    )
    assert (monitor.verify_tls, monitor.rise, monitor.fall) == (False, 1, 5)
    pool = site.config.pools[1]
    assert (pool.when_all_down, pool.unknown_counts) == (WhenAllDown.FALLBACK, UnknownCounts.DOWN)
    assert (pool.endpoints[0].weight, pool.endpoints[0].probe) == (7, "[::1]:8080")
    name = site.config.names[1]
    assert (name.name, name.ttl, name.owner) == ("*.cdn.example.com.", 120, "team")


def test_a_monitor_may_be_a_command(site, good):
    text = "monitors: {deep: {type: command, command: [/bin/check, -H, '%%ITEM%%'], port: 5, path: /x}}\n"
    site.write("a.yaml", good).write("b.yaml", text).load()
    assert site.rules("error") == []
    assert site.config.monitors[1].command == ("/bin/check", "-H", "%%ITEM%%")
    assert site.messages("site-setting-without-effect") == [
        f"{key} of monitor 'deep' has no effect on a command monitor; remove it" for key in ("port", "path")
    ]


def test_every_form_of_step(site, good):
    steps = """\
policies:
  all:
    steps:
      - geo:
          mode: fence
          subnet: {192.0.2.0/24: [fra]}
          asn: {64500: [ams]}
          subdivision: {US-CA: [ams]}
          country: {NO: fra, DE: [fra, ams]}
          continent: {EU: [fra]}
          default: ams
      - latency
      - distance
      - failover: {mode: fence, tiers: [fra, [ams]]}
      - weighted:
      - take: 2
names:
  a.example.com: {pool: web, policy: all}
"""
    site.write("a.yaml", good).write("b.yaml", steps).load()
    assert site.rules() == []
    geo, latency, distance, failover, weighted, take = site.config.policies[1].steps
    assert isinstance(geo, GeoStep)
    assert geo.mode is Mode.FENCE
    assert [(rule.kind, rule.value, rule.units) for rule in geo.rules] == [
        (LocationKind.SUBNET, "192.0.2.0/24", ("fra",)),
        (LocationKind.ASN, "64500", ("ams",)),
        (LocationKind.SUBDIVISION, "US-CA", ("ams",)),
        (LocationKind.COUNTRY, "NO", ("fra",)),
        (LocationKind.COUNTRY, "DE", ("fra", "ams")),
        (LocationKind.CONTINENT, "EU", ("fra",)),
        (LocationKind.DEFAULT, "", ("ams",)),
    ]
    assert geo.rules[4].place == Place("b.yaml", 9, 30)
    assert (latency, distance, weighted, take) == (
        LatencyStep(),
        DistanceStep(),
        WeightedStep(),
        TakeStep(count=2),
    )
    assert (failover.mode, failover.tiers) == (Mode.FENCE, (("fra",), ("ams",)))


def test_hidden_excluded_and_other_files_are_not_read(site, good):
    site.write("site.yaml", good)
    for name in (".hidden.yaml", ".git/x.yaml", "tests.yaml", "sub/tests.yaml", "notes.txt", "x.yaml.bak"):
        site.write(name, "not: [yaml")
    assert site.load().findings == ()


def test_an_empty_directory_is_an_empty_config(site):
    site.load()
    assert site.findings == ()
    assert site.config.pops == ()


def test_a_link_that_leads_back_is_walked_once(site, good):
    site.write("sub/site.yaml", good)
    (site.path / "sub" / "loop").symlink_to("..")
    (site.path / "self.yaml").symlink_to("self.yaml")
    site.load()
    assert site.rules() == [("site-unreadable", "self.yaml:0")]


@pytest.mark.parametrize(
    ("octets", "words"),
    [(b"a: \xff\n", "line 1"), (b"pops: {}\n# \xe9\n", "line 2")],
)
def test_a_file_that_is_not_utf_8(site, octets, words):
    (site.path / "a.yaml").write_bytes(octets)
    site.load()
    assert site.rules() == [("site-unreadable", "a.yaml:0")]
    assert words in site.findings[0].message


def test_a_byte_order_mark_is_no_error(site, good):
    (site.path / "a.yaml").write_bytes(b"\xef\xbb\xbf" + good.encode())
    assert site.load().findings == ()


def test_a_definition_twice_cites_both_places(site, good):
    site.write("a.yaml", good).write("b.yaml", good.replace("www.", "WWW.")).load()
    assert site.rules() == [
        ("site-duplicate-pop", "b.yaml:2"),
        ("site-duplicate-pop", "b.yaml:3"),
        ("site-duplicate-monitor", "b.yaml:5"),
        ("site-duplicate-pool", "b.yaml:7"),
        ("site-duplicate-policy", "b.yaml:14"),
        ("site-duplicate-name", "b.yaml:17"),
    ]
    assert "a.yaml:17:3" in site.messages("site-duplicate-name")[0]


def test_a_key_twice_in_one_file_cites_both_places(site):
    site.write("a.yaml", "pops:\n  fra: {}\n  fra: {}\n").load()
    assert site.rules() == [("site-duplicate-key", "a.yaml:3")]
    assert "a.yaml:2:3" in site.messages("site-duplicate-key")[0]


def test_every_error_of_every_file_at_once(site):
    site.write("a.yaml", "pops: [\n")
    site.write("b.yaml", "pop: {}\npops: {fra: {latitude: 91, longitud: 3}, bad name: }\nnames: []\n")
    site.write("c.yaml", "- x\n")
    site.load()
    rules = site.rules()
    assert rules[0][0] == "site-syntax"
    assert rules[1:] == [
        ("site-unknown-key", "b.yaml:1"),
        ("site-invalid-value", "b.yaml:2"),
        ("site-unknown-key", "b.yaml:2"),
        ("site-invalid-name", "b.yaml:2"),
        ("site-invalid-value", "b.yaml:3"),
        ("site-invalid-value", "c.yaml:1"),
    ]
    assert "did you mean 'pops'?" in site.messages("site-unknown-key")[0]
    assert "did you mean 'longitude'?" in site.messages("site-unknown-key")[1]


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ("pops: {fra: 3}", "site-invalid-value", "must be a mapping"),
        ("pops: {fra: {latitude: 1}}", "site-invalid-value", "only one of"),
        ("pops: {fra: {latitude: x, longitude: 1}}", "site-invalid-value", "from -90 to 90, not 'x'"),
        ("pops: {fra: {title: 3}}", "site-invalid-value", "must be text"),
        ("pops: {fra: {name: x}}", "site-unknown-key", "unknown key 'name'"),
        ("monitors: {m: }", "site-invalid-value", "must be a mapping"),
        ("monitors: {m: {port: 80}}", "site-missing-key", "lacks the key 'type'"),
        ("monitors: {m: {type: http}}", "site-missing-key", "lacks the key 'port'"),
        ("monitors: {m: {type: htp, port: 80}}", "site-invalid-value", "did you mean 'http'?"),
        ("monitors: {m: {type: tcp, port: 0}}", "site-invalid-value", "from 1 to 65535"),
        ("monitors: {m: {type: tcp, port: '80'}}", "site-invalid-value", "from 1 to 65535, not '80'"),
        ("monitors: {m: {type: tcp, port: 80, interval: 0}}", "site-invalid-value", "from 1s to 1h"),
        ("monitors: {m: {type: tcp, port: 80, interval: 2h}}", "site-invalid-value", "from 1s to 1h"),
        (
            "monitors: {m: {type: tcp, port: 80, interval: 1s}}",
            "site-invalid-value",
            "must be less than",
        ),
        ("monitors: {m: {type: tcp, port: 80, timeout: 10s}}", "site-invalid-value", "must be less than"),
        ("monitors: {m: {type: tcp, port: 80, rise: 0}}", "site-invalid-value", "from 1 to 100"),
        ("monitors: {m: {type: tcp, port: 80, jitter: 0.6}}", "site-invalid-value", "from 0 to 0.5"),
        ("monitors: {m: {type: http, port: 80, path: x}}", "site-invalid-value", "begin with /"),
        ("monitors: {m: {type: file}}", "site-missing-key", "lacks the key 'file'"),
        ("monitors: {m: {type: file, file: states}}", "site-invalid-value", "must be an absolute path"),
        ("monitors: {m: {type: file, file: /x, missing: no}}", "site-invalid-value", "up, down or unknown"),
        ("monitors: {m: {type: command}}", "site-missing-key", "lacks the key 'command'"),
        ("monitors: {m: {type: command, command: /bin/true}}", "site-invalid-value", "must be a list of a"),
        ("monitors: {m: {type: command, command: []}}", "site-invalid-value", "no shell reads it"),
        ("monitors: {m: {type: command, command: [check]}}", "site-invalid-value", "the absolute path of"),
        ("monitors: {m: {type: command, command: ['/%%ITEM%%']}}", "site-invalid-value", "the absolute path"),
        ("monitors: {m: {type: command, command: [/a, 3]}}", "site-invalid-value", "texts, not 3; put it in"),
        ('monitors: {m: {type: command, command: [/a, "\\0"]}}', "site-invalid-value", "at most 4096"),
        ("monitors: {m: {type: https, port: 80, verify_tls: yes}}", "site-invalid-value", "true or false"),
        ("pools: {p: {endpoints: []}}", "site-invalid-value", "1 to 65,535 endpoints, not 0"),
        ("pools: {p: {endpoints: {}}}", "site-invalid-value", "must be a list"),
        ("pools: {p: {}}", "site-missing-key", "lacks the key 'endpoints'"),
        ("pools: {p: {endpoints: [3]}}", "site-invalid-value", "must be a mapping"),
        ("pools: {p: {endpoints: [{pop: fra}]}}", "site-missing-key", "lacks the key 'address'"),
        ("pools: {p: {endpoints: [{pop: fra, address: x}]}}", "site-invalid-value", "IPv4 or IPv6 address"),
        (
            "pools: {p: {endpoints: [{pop: a, address: 192.0.2.1, weight: 65536}]}}",
            "site-invalid-value",
            "to 65535",
        ),
        ("policies: {p: []}", "site-invalid-value", "1 to 16 steps, not 0"),
        ("policies: {p: {}}", "site-missing-key", "lacks the key 'steps'"),
        ("policies: {p: [distence]}", "site-unknown-step", "did you mean 'distance'?"),
        ("policies: {p: [{distance: , weighted: }]}", "site-invalid-value", "each a list item"),
        ("policies: {p: [3]}", "site-invalid-value", "each a list item"),
        ("policies: {p: [shuffle: 3]}", "site-invalid-value", "takes no settings"),
        ("policies: {p: [take]}", "site-invalid-value", "write take: 2"),
        ("policies: {p: [take: 33]}", "site-invalid-value", "from 1 to 32"),
        ("policies: {p: [geo: {}]}", "site-invalid-value", "1 to 65,536 rules"),
        ("policies: {p: [geo: 3]}", "site-invalid-value", "must be a mapping"),
        ("policies: {p: [geo: {contry: {}}]}", "site-unknown-key", "did you mean 'country'?"),
        ("policies: {p: [geo: {country: {de: [a]}}]}", "site-invalid-location", "upper-case"),
        ("policies: {p: [geo: {country: [a]}]}", "site-invalid-value", "must be a mapping"),
        ("policies: {p: [geo: {default: []}]}", "site-invalid-value", "at least one POP"),
        (
            "policies: {p: [geo: {asn: {1: a, AS1: b}}]}",
            "site-duplicate-rule",
            "rule at a.yaml:1:",
        ),
        ("policies: {p: [failover: []]}", "site-invalid-value", "1 to 256 tiers"),
        ("policies: {p: [failover: [a, [b, a]]]}", "site-invalid-value", "'a' in two tiers"),
        ("policies: {p: [failover: {mode: fence}]}", "site-missing-key", "lacks the key 'tiers'"),
        ("policies: {p: [failover: [[]]]}", "site-invalid-value", "at least one POP"),
        ("names: {a.example: {policy: p}}", "site-missing-key", "lacks the key 'pool'"),
        ("names: {a..example: }", "site-invalid-name", "no domain name"),
        ("names: {a.example: {pool: p, policy: p, ttl: -1}}", "site-invalid-value", "negative"),
        ("names: {a.example: {pool: p, policy: p, ttl: 1.5}}", "site-invalid-value", "whole seconds"),
        ("names: {a.example: {pool: p, policy: p, ttl: 2147483648}}", "site-invalid-value", "to 2147483647"),
        ("geo: {databases: []}", "site-invalid-value", "1 to 16 files"),
        ("geo: {databases: [nowhere.mmdb]}", "site-missing-database", "nowhere.mmdb"),
        ("geo: {}", "site-missing-key", "lacks the key 'databases'"),
        ("latency: {table: nowhere.csv}", "site-missing-latency-table", "nowhere.csv"),
        ("latency: {table: 3}", "site-invalid-value", "path of a file"),
    ],
)
def test_one_mistake_gives_one_clear_error(site, text, rule, words):
    site.write("a.yaml", text + "\n").load()
    errors = [finding for finding in site.findings if finding.rule == rule]
    assert len(errors) == 1
    assert words in errors[0].message
    assert errors[0].place.file == "a.yaml"
    assert errors[0].place.line == 1
    assert errors[0].place.column > 0


def test_errors_inside_a_pool_or_step_do_not_hide_each_other(site):
    site.write(
        "a.yaml",
        "pools:\n  p:\n    when_all_down: x\n    endpoints:\n      - {pop: a}\n"
        "policies:\n  q:\n    - geo:\n        mode: x\n        country: {de: [b]}\n",
    ).load()
    assert site.rules() == [
        ("site-invalid-value", "a.yaml:3"),
        ("site-missing-key", "a.yaml:5"),
        ("site-unknown-pop", "a.yaml:5"),
        ("site-invalid-value", "a.yaml:9"),
        ("site-invalid-location", "a.yaml:10"),
        ("site-unknown-pop", "a.yaml:10"),
    ]


def test_a_form_with_an_error_hides_no_error_of_its_other_keys(site):
    site.write(
        "a.yaml",
        """\
pops:
  a: {latitude: 91, foo: 1}
monitors:
  m: {type: tcp, port: 0, interval: 1s, timeout: 2s}
  n: {type: tcp, port: 0, timeout: x}
rules:
  policy-a: {foo: 1, ttl: {A: {min: 2, max: 1}}}
  POLICY: {foo: 1}
checks: {foo: 1, silence: [nope], zones: {example.com: {foo: 1, silence: [nein]}}}
latency: {foo: 1, table: nowhere.csv}
geo: {foo: 1, databases: nowhere.mmdb}
""",
    ).load()
    assert sorted(site.rules(), key=lambda found: int(found[1][7:])) == [
        ("site-invalid-value", "a.yaml:2"),
        ("site-unknown-key", "a.yaml:2"),
        ("site-invalid-value", "a.yaml:4"),
        ("site-invalid-value", "a.yaml:4"),
        ("site-invalid-value", "a.yaml:5"),
        ("site-invalid-value", "a.yaml:5"),
        ("site-unknown-key", "a.yaml:7"),
        ("site-invalid-value", "a.yaml:7"),
        ("site-invalid-name", "a.yaml:8"),
        ("site-unknown-key", "a.yaml:8"),
        ("site-unknown-key", "a.yaml:9"),
        ("site-unknown-check", "a.yaml:9"),
        ("site-unknown-key", "a.yaml:9"),
        ("site-unknown-check", "a.yaml:9"),
        ("site-unknown-key", "a.yaml:10"),
        ("site-missing-latency-table", "a.yaml:10"),
        ("site-unknown-key", "a.yaml:11"),
        ("site-missing-database", "a.yaml:11"),
    ]


def test_databases_are_relative_to_their_file_and_listed_once(site):
    (site.path / "geo").mkdir()
    (site.path / "geo" / "city.mmdb").write_bytes(b"")
    site.write("a.yaml", "geo: {databases: [geo/city.mmdb]}\n")
    site.write("sub/b.yaml", "geo: {databases: ../geo/city.mmdb}\n")
    site.load()
    assert site.findings == ()
    assert site.config.databases == (str((site.path / "geo" / "city.mmdb").resolve()),)


def test_too_many_of_a_kind_is_said_once(site, monkeypatch):
    monkeypatch.setattr("gslb.config.declarations.MAXIMUM_POPS", 2)
    site.write("a.yaml", "pops: {a: , b: , c: , d: }\n").load()
    assert site.rules() == [("site-too-many", "a.yaml:1")]
    assert [pop.name for pop in site.config.pops] == ["a", "b"]


def test_paths_outside_the_current_directory_are_absolute(site, good, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    site.write("a.yaml", "pops: [").load()
    assert site.findings[0].place.file == str(site.path / "a.yaml")


def test_control_characters_in_values_are_escaped(site):
    site.write("a.yaml", 'pops: {fra: {titel: 1}}\n"\\e[31m": 1\n').load()
    assert all(finding.message.isprintable() for finding in site.findings)
