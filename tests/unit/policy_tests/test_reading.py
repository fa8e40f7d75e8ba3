"""Reading the tests of a site: files, places of mistakes, the guide."""

from __future__ import annotations

import dataclasses

import pytest

from gslb.cli.test import run_site
from gslb.config.policy_tests import ExpectForm, PolicyTestForm, load_policy_tests
from gslb.zones.site import inspect_site
from tests.unit.policy_tests.sites import (
    CLIENT,
    DE,
    EXAMPLE,
    problems,
    test,
    test_file,
)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "lacks the key 'client'"),
        ({"client": DE}, "lacks the key 'expect'"),
        ({"client": DE, "expect": {}}, "expects nothing"),
        ({"client": DE, "expect": {"pops": ["frankfurt"]}}, "unknown POP 'frankfurt'"),
        ({"client": DE, "down": ["web/iad"], "expect": {"pops": ["fra"]}}, "unknown POP 'web/iad'"),
        ({"client": DE, "drain": ["fr"], "expect": {"pops": ["fra"]}}, "did you mean"),
        ({"client": {"city": "Bonn"}, "expect": {"pops": ["fra"]}}, "not 'city'"),
        ({"client": {"country": "Germany"}, "expect": {"pops": ["fra"]}}, "is no country code"),
        ({"client": "everyone", "expect": {"pops": ["fra"]}}, "must be an address"),
        ({"client": DE, "type": "AX", "expect": {"pops": ["fra"]}}, "must be a record type"),
        ({"client": DE, "expect": {"rcode": "OK"}}, "must be NOERROR"),
        ({"client": DE, "expect": {"ttl": -1}}, "ttl of expect of test"),
        ({"client": DE, "load": {"fra": "high"}, "expect": {"pops": ["fra"]}}, "must be a number"),
        ({"ask": "no..name", "client": DE, "expect": {"pops": ["fra"]}}, "must be a name"),
        ({"client": DE, "expect": {"pops": ["fra"]}, "extra": 1}, "unknown key 'extra'"),
    ],
)
def test_mistakes_are_found_with_their_place(site, settings, message):
    findings = [
        finding for finding in inspect_site(site(test(**settings))).findings if "error" in str(finding)
    ]
    assert message in "\n".join(str(finding) for finding in findings)
    assert all(finding.place.file == "site/tests.yaml" and finding.place.line for finding in findings)


@pytest.mark.parametrize("text", ["tests: 5", "- 1", "other: []", "tests: [", "tests:\n  - 7"])
def test_a_file_that_is_no_list_of_tests_is_an_error(site, text):
    directory = site()
    (directory / "tests.yaml").write_text(text)
    assert inspect_site(directory).site is None


def test_tests_of_directories_below_count_too(site):
    directory = site(test(client=DE, expect={"pops": ["fra"]}))
    (directory / "team").mkdir()
    (directory / "team/tests.yml").write_text(
        test_file(test(title="below", client=DE, expect={"pops": ["ams"]}))
    )
    loaded = inspect_site(directory).site
    assert len(load_policy_tests(directory, loaded.steering)[0]) == 2
    assert len(problems(directory)) == 1


def test_errors_number_the_tests_as_the_file_does(site):
    good, bad = test(client=CLIENT, expect={"pops": ["fra"]}), test(client=CLIENT, expect={})
    directory = site(good, bad, bad, good, bad)
    messages = [finding.message for finding in inspect_site(directory).findings]
    found = [message.split(" expects")[0] for message in messages if "expects nothing" in message]
    assert found == ["test 2", "test 3", "test 5"]


@pytest.mark.parametrize("form", [PolicyTestForm, ExpectForm])
def test_the_guide_names_every_key(form):
    guide = (EXAMPLE.parent / "docs/guide/policy-tests.md").read_text(encoding="utf-8")
    assert [key for key in form.__annotations__ if f"| `{key}` |" not in guide] == []


def test_the_example_of_the_guide_is_read_and_passes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    guide = (EXAMPLE.parent / "docs/guide/policy-tests.md").read_text(encoding="utf-8")
    (tmp_path / "tests.yaml").write_text(guide.partition("```yaml\n")[2].partition("```")[0])
    site = inspect_site(EXAMPLE).site
    tests, findings = load_policy_tests(tmp_path, site.steering)
    assert (len(tests), findings) == (1, ())
    assert [outcome.problem for outcome in run_site(dataclasses.replace(site, tests=tests))] == [""]
