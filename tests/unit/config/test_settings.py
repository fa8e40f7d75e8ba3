"""TTL ranges, client subnet, and the keys geo, latency and load at the top of a file."""

import pytest

from gslb.model.site import GeoOverride, LoadSettings, Milliseconds, Percent, Reflect

HEADER = "network,continent,country,subdivision,asn,latitude,longitude\n"


def name(site, good, settings):
    site.write(
        "a.yaml", good.replace("{pool: web, policy: near}", f"{{pool: web, policy: near, {settings}}}")
    )
    return site.load()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("ttl: 60", (60, None, True)),
        ("ttl: {max: 1m, min: 10}", (60, 10, True)),
        ("ttl: {max: 60, min: 60}", (60, 60, True)),
        ("client_subnet: false", (30, None, False)),
    ],
)
def test_a_name(site, good, settings, expected):
    name(site, good, settings)
    assert site.rules() == []
    found = site.config.names[0]
    assert (found.ttl, found.least_ttl, found.client_subnet) == expected


REFLECTING = """\
pops: {fra: }
pools: {web: {policy: any, when_all_down: nodata, endpoints: [{pop: fra, address: 192.0.2.1}]}}
policies: {any: [weighted]}
names:
  www.example.com: {pool: web}
  whoami.example.com: {SETTINGS}
"""


def test_a_name_that_reflects(site):
    site.write("a.yaml", REFLECTING.replace("SETTINGS", "reflect: best, ttl: 5")).load()
    assert site.rules("error", "warning") == []
    found = site.config.names[1]
    assert (found.reflect, found.pool, found.policy, found.ttl) == (Reflect.BEST, "", "", 5)


@pytest.mark.parametrize(
    ("settings", "rule", "words"),
    [
        ("ttl: 5", "site-missing-key", "name 'whoami.example.com' lacks the key 'pool' (or reflect)"),
        (
            "reflect: bets",
            "site-invalid-value",
            "must be dns, edns, best or both, not 'bets'; did you mean 'best'?",
        ),
        ("reflect: true", "site-invalid-value", "reflect of name 'whoami.example.com' must be"),
        ("reflect: dns, pool: web", "site-invalid-value", "so it has no pool; remove one of the two"),
        ("reflect: dns, policy: any", "site-invalid-value", "so it has no policy; remove one of the two"),
        ("reflect: dns, ttl: {max: 9, min: 1}", "site-setting-without-effect", "min of ttl"),
    ],
)
def test_a_name_that_reflects_with_a_mistake(site, settings, rule, words):
    site.write("a.yaml", REFLECTING.replace("SETTINGS", settings)).load()
    assert site.rules("error", "warning") == [(rule, "a.yaml:6")]
    assert words in site.messages(rule)[0]


@pytest.mark.parametrize(
    ("settings", "rule", "words"),
    [
        ("ttl: {max: 60}", "site-missing-key", "ttl of name 'www.example.com' lacks the key 'min'"),
        ("ttl: {max: 10, min: 60}", "site-invalid-value", "(1m) must not be more than its max (10s)"),
        ("ttl: {max: 1.5, min: 1}", "site-invalid-value", "whole seconds"),
        ("ttl: {max: 60, min: 10, mean: 30}", "site-unknown-key", "unknown key 'mean'"),
        ("ttl: [60]", "site-invalid-value", "must be a duration"),
        ("client_subnet: no", "site-invalid-value", "true or false"),
    ],
)
def test_a_name_with_a_mistake(site, good, settings, rule, words):
    name(site, good, settings)
    assert site.rules() == [(rule, "a.yaml:17")]
    assert words in site.messages(rule)[0]
    assert [broken.name for broken in site.config.broken_names] == ["www.example.com."]


def test_loads(site):
    assert site.write("a.yaml", "pops: {}\n").load().config.load == LoadSettings()
    site.write("a.yaml", "load: {hysteresis: 0.1, max_age: 2m}\n").load()
    assert site.findings == ()
    assert (site.config.load.hysteresis, site.config.load.max_age) == (0.1, 120)


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ("load: {hysteresis: 11}", "site-invalid-value", "from 0 to 10"),
        ("load: {max_age: 0.5s}", "site-invalid-value", "from 1s to 1d"),
        ("load: {max_aeg: 1m}", "site-unknown-key", "did you mean 'max_age'?"),
        ("load: 3", "site-invalid-value", "must be a mapping"),
        ("latency: {}", "site-missing-key", "lacks the key 'table' (or hysteresis)"),
        ("latency: {hysteresis: 3}", "site-invalid-value", "must be a duration such as 5ms"),
        ("geo: {overrides: nowhere.csv}", "site-missing-overrides", "nowhere.csv"),
        ("geo: {overrides: 3}", "site-invalid-value", "path of a file"),
    ],
)
def test_settings_with_a_mistake(site, text, rule, words):
    site.write("a.yaml", text + "\n").load()
    assert site.rules() == [(rule, "a.yaml:1")]
    assert words in site.messages(rule)[0]


@pytest.mark.parametrize(
    ("written", "expected"),
    [("3ms", Milliseconds(milliseconds=3)), ("5%", Percent(percent=5))],
)
def test_the_hysteresis_of_latency_needs_no_table(site, written, expected):
    site.write("a.yaml", f"latency: {{hysteresis: {written}}}\n").load()
    assert site.findings == ()
    assert site.config.latency_hysteresis == expected


def test_what_a_site_says_once_is_an_error_twice(site):
    text = "load: {max_age: 1m}\nlatency: {hysteresis: 3ms}\n"
    site.write("a.yaml", text).write("b.yaml", text).load()
    assert site.rules() == [("site-duplicate-setting", "b.yaml:1"), ("site-duplicate-setting", "b.yaml:2")]
    assert "load is already set at a.yaml:1:1" in site.messages("site-duplicate-setting")[0]


def test_overrides(site):
    rows = "# ours\n192.0.2.0/24,EU,DE,DE-HE,AS64500, 50.1 ,8.7\n\n198.51.100.0/24,,FR,,,,\n"
    site.write("geo/o.csv", HEADER + rows)
    site.write("a.yaml", "geo: {overrides: geo/o.csv}\n").load()
    assert site.findings == ()
    first, second = site.config.overrides
    assert first.model_dump(exclude={"place"}) == {
        "network": "192.0.2.0/24",
        "continent": "EU",
        "country": "DE",
        "subdivision": "DE-HE",
        "asn": 64500,
        "latitude": 50.1,
        "longitude": 8.7,
    }
    assert second == GeoOverride(network="198.51.100.0/24", country="FR", place=second.place)
    assert (second.place.file, second.place.line) == ("geo/o.csv", 5)
    assert site.config.table_files == (str(site.path / "geo" / "o.csv"),)


@pytest.mark.parametrize(
    ("row", "rule", "words"),
    [
        ("192.0.2.1/24,,DE,,,,", "site-invalid-location", "host bits"),
        (",,DE,,,,", "site-invalid-location", "no subnet"),
        ("192.0.2.0/24,EUR,,,,,", "site-invalid-location", "no continent code"),
        ("192.0.2.0/24,,de,,,,", "site-invalid-location", "country: 'de' is no country code"),
        ("192.0.2.0/24,,,HE,,,", "site-invalid-location", "no subdivision code"),
        ("192.0.2.0/24,,,,x,,", "site-invalid-location", "no AS number"),
        ("192.0.2.0/24,EU,US,DE-HE,,,", "site-invalid-location", "subdivision DE-HE is not in country US"),
        ("192.0.2.0/24,,,,,91,8", "site-override-syntax", "latitude must be degrees from -90 to 90"),
        ("192.0.2.0/24,,,,,9,nan", "site-override-syntax", "longitude must be degrees"),
        ("192.0.2.0/24,,,,,9,", "site-override-syntax", "only one of latitude and longitude"),
        ("192.0.2.0/24,,,,,,", "site-override-syntax", "says nothing"),
        ("192.0.2.0/24,DE", "site-override-syntax", "2 cells, not 7"),
        ("198.51.100.0/24,,DE,,,,", "site-duplicate-override", "already has an override at o.csv:2"),
    ],
)
def test_an_override_with_a_mistake(site, row, rule, words):
    site.write("o.csv", HEADER + "198.51.100.0/24,,FR,,,,\n" + row + "\n")
    site.write("a.yaml", "geo: {overrides: o.csv}\n").load()
    assert site.rules() == [(rule, "o.csv:3")]
    assert words in site.messages(rule)[0]


@pytest.mark.parametrize("text", ["", "network,country\n", '"'])
def test_an_override_file_that_is_none(site, text):
    site.write("o.csv", text).write("a.yaml", "geo: {overrides: o.csv}\n").load()
    assert [rule for rule, _ in site.rules()] == ["site-override-syntax"]


def test_overrides_are_data_about_locations(site, good):
    text = good.replace("- failover: [fra, ams]", "- geo: {country: {DE: fra}}") + "geo: {overrides: o.csv}\n"
    site.write("o.csv", HEADER + "192.0.2.0/24,,DE,,,,\n").write("a.yaml", text).load()
    assert site.findings == ()
