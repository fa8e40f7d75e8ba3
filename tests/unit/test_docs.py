"""What the documents say exists, and what exists is in the documents."""

from __future__ import annotations

import re
import tomllib

import pytest

from gslb._dataplane import DataPlane
from gslb.api.routes import ROUTES
from gslb.model.gauges import Gauges, ProbeGauges
from gslb.telemetry.metrics import GslbCollector
from tests.documents import (
    COMMANDS,
    GROUP,
    ROOT,
    console_lines,
    gslb_words,
    markdown_files,
    options_of,
    parse_gslb,
    repository_files,
    text_of,
)

USER_PAGES = "\n".join(
    text_of(path)
    for path in (
        "README.md",
        "docs/guide/site.md",
        "docs/guide/geo-data.md",
        "docs/guide/operating.md",
        "docs/guide/importing.md",
    )
)
PAGES = pytest.mark.parametrize("page", markdown_files(), ids=str)


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_command_and_option_is_documented(verb):
    assert re.search(rf"`[^`\n]*\bgslb {verb}\b", USER_PAGES)
    options = {name for name in options_of(COMMANDS[verb]) if name.startswith("--")}
    assert [option for option in sorted(options) if not re.search(rf"{option}(?![\w-])", USER_PAGES)] == []


def test_the_commands_that_the_readme_lists_take_these_options():
    table = re.findall(r"^\| (`gslb .*?`) \|", text_of("README.md"), re.MULTILINE)
    listed = [example.split() for row in table for example in re.findall(r"`gslb ([^`]+)`", row)]
    alone = {name for parameter in GROUP.params for name in parameter.opts}
    assert {verb for verb, *_ in listed} == set(COMMANDS) | alone
    for verb, *words in (example for example in listed if example[0] in COMMANDS):
        known = options_of(COMMANDS[verb])
        named = {word.strip("[]…") for word in words if "--" in word}
        assert named - known == set()


@PAGES
def test_examples_on_the_console_are_commands_that_parse(page):
    for line in console_lines(text_of(page)):
        words = gslb_words(line)
        if words is not None:
            parse_gslb(words)


def test_the_readme_begins_with_the_two_commands():
    first, second, *_ = text_of("README.md").splitlines()
    assert (first.split()[:2], second.split()[:2]) == (["make", "run"], ["make", "test"])
    examples = [words for line in console_lines(text_of("README.md")) if (words := gslb_words(line))]
    assert {"drain", "undrain", "explain", "pops"} <= {words[0] for words in examples}


def test_every_counter_of_the_data_plane_is_documented():
    page = text_of("docs/reference/metrics.md")
    gauges = Gauges(probes={"http": ProbeGauges(1, 0, ((0.1, 1),), 0.01)})
    families = list(GslbCollector(DataPlane().counters(), gauges).collect())
    assert len(families) > 10
    for family in families:
        name = family.name + ("_total" if family.type == "counter" else "")
        assert re.search(rf"^\| `{name}` \|", page, re.MULTILINE), name
        for sample in (
            family.samples if family.name in ("gslb_queries", "gslb_responses", "gslb_dropped") else ()
        ):
            assert [word for word in sample.labels.values() if f"`{word}`" not in page] == []


def test_every_route_of_the_api_is_documented_and_no_other():
    documented = re.findall(
        r"^\| `([A-Z]+ /\S+)`( \*open\*)? \|", text_of("docs/reference/api.md"), re.MULTILINE
    )
    served = [(f"{route.method} {route.path}", "" if route.needs_token else " *open*") for route in ROUTES]
    assert sorted(documented) == sorted(served)


@PAGES
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", _without_code(text_of(page))):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        there = (ROOT / page.parent / path).resolve() if path else ROOT / page
        assert there.exists(), f"{page}: {target}"
        if anchor:
            assert anchor in _anchors(there.read_text(encoding="utf-8")), f"{page}: {target}"


@PAGES
def test_source_files_that_are_named_exist(page):
    kept = ["/" + path.as_posix() for path in repository_files()]
    named = set(re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|pyi|rs|c|service))`", text_of(page)))
    assert [name for name in sorted(named) if not any(path.endswith("/" + name) for path in kept)] == []


@PAGES
def test_lines_of_prose_are_short_enough_to_read_in_a_terminal(page):
    assert [line for line in text_of(page).splitlines() if len(line) > 122 and not line.startswith("|")] == []


def test_the_index_of_decisions_is_complete_and_each_has_its_four_sections():
    pages = sorted(path.name for path in (ROOT / "docs" / "adr").glob("0*.md"))
    assert re.findall(r"\]\((0[^)]+)\)", text_of("docs/adr/README.md")) == pages
    for number, page in enumerate(pages, 1):
        text = text_of(f"docs/adr/{page}")
        assert text.startswith(f"# {number:04}: ")
        assert re.findall(r"^## (.+)", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
            "Alternatives",
        ]


def test_there_is_one_version():
    package = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    workspace = tomllib.loads(text_of("dataplane/Cargo.toml"))["workspace"]["package"]["version"]
    locked = tomllib.loads(text_of("dataplane/Cargo.lock"))["package"]
    assert {package, workspace} | {one["version"] for one in locked if one["name"].startswith("gslb-")} == {
        package
    }


def test_no_file_names_a_registry_or_a_path_of_one_machine():
    # Written in parts, so that this file does not find itself.
    hosts = [".".join(parts) for parts in (("docker", "io"), ("ghcr", "io"), ("quay", "io"), ("gcr", "io"))]
    hosts += [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("crates", "io"))]
    paths = "|".join(("root", "home", "work", "Users", "mnt"))
    pattern = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, hosts))})|(?<![\w.}}])/({paths})/")
    found = []
    for path in repository_files():
        # Cargo writes where a package is from by itself.
        if path.suffix not in {".mmdb", ".png"} and path.name != "Cargo.lock":
            lines = text_of(path).splitlines()
            found += [f"{path}:{number}" for number, line in enumerate(lines, 1) if pattern.search(line)]
    assert found == []


def _without_code(text: str) -> str:
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "code", text)


def _anchors(text: str) -> set[str]:
    """Anchors of the headings, as Git hosts make them."""
    headings = re.findall(r"^#+ (.+)", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
