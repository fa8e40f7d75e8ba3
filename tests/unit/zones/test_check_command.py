"""The check command: findings, summary, exit status."""

import io
import json

import pytest
from rich.console import Console
from typer.testing import CliRunner

from gslb.cli import check as subject
from gslb.cli.main import app
from gslb.cli.render import finding_text, print_findings
from gslb.errors import SteeringError
from gslb.model.finding import Finding, Place, Severity
from gslb.steering.document import steering_document


@pytest.fixture
def run(monkeypatch, read_zone):
    """Run the command with a stand-in for the native module."""

    def start(*arguments, refuse=""):
        def compile_steering(steering):
            json.loads(steering_document(steering))
            if refuse:
                raise SteeringError(refuse)
            return object()

        def check_site(directory):
            return original(directory, read_zone, compile_steering)

        original = subject.check_site
        monkeypatch.setattr(subject, "check_site", check_site)
        result = CliRunner().invoke(app, ["check", *(str(argument) for argument in arguments)])
        monkeypatch.setattr(subject, "check_site", original)
        return result

    return start


def test_a_good_site_exits_0_and_says_what_it_holds(run, site, site_text):
    site.write("site.yaml", site_text.replace("when_all_down: nodata, ", ""))
    result = run(site.path)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "site/site.yaml:4:3: info: pool 'web' does not declare when_all_down; the default serve_all holds "
        "[site-when-all-down-default]",
        "pool web: when all down, serve_all (default)",
        "1 zone, 3 records, 1 steered name, 1 POP, 1 pool; 0 errors, 0 warnings",
    ]


def test_errors_exit_1_one_line_each(run, site):
    site.write("a.yaml", "pop: 1\npops: {x: {latitude: 100}}\n")
    result = run(site.path)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith("site/a.yaml:1:1: error: unknown key 'pop'")
    assert lines[0].endswith("[site-unknown-key]")
    assert lines[-1] == "2 errors, 0 warnings; the site does not load"


def test_an_unusable_geo_database_is_an_error_at_the_database(run, site):
    database = site.path / "city.mmdb"
    database.write_bytes(b"nothing")
    site.write("geo.yaml", "geo: {databases: [city.mmdb]}\n")
    result = run(site.path, refuse=f"{database.resolve()}: not a MaxMind database")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].startswith("site/city.mmdb: error: ")
    assert "[site-geo-database]" in result.stdout


def test_other_errors_of_the_compiler(run, site):
    result = run(site.path, refuse="too many classes")
    assert result.exit_code == 1
    assert "site: error: too many classes [site-steering]" in result.stdout
    result = run(site.path, refuse="site/site.yaml:5: policy any: too long")
    assert "site/site.yaml:5: error: policy any: too long [site-steering]" in result.stdout


def test_json(run, site):
    result = run(site.path, "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["ok"] is True
    assert document["findings"] == []
    assert document["summary"]["zones"] == [{"origin": "example.com.", "records": 3, "names": 1}]
    assert document["summary"]["pools"] == [
        {"name": "web", "endpoints": 1, "pools": [], "when_all_down": "nodata", "is_default": False}
    ]


def test_json_of_a_site_that_does_not_load(run, tmp_path):
    result = run(tmp_path / "nowhere", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["ok"] is False
    assert document["summary"] is None
    assert document["findings"][0]["rule"] == "site-no-directory"


FINDING = Finding(
    "r-1", Severity.ERROR, Place("a\nb.yaml", 3), "no [bold]markup[/] \x1b[31m here " + "x" * 300
)


def test_findings_are_one_line_without_markup_or_control_characters():
    output = io.StringIO()
    print_findings(Console(file=output, soft_wrap=True, width=40), [FINDING])
    assert output.getvalue().count("\n") == 1
    assert output.getvalue().startswith("a\\nb.yaml:3: error: no [bold]markup[/] \\x1b[31m here xxx")


def test_colours_on_a_terminal_only():
    output = io.StringIO()
    Console(file=output, force_terminal=True, color_system="standard", soft_wrap=True).print(
        finding_text(FINDING)
    )
    assert "\x1b[" in output.getvalue()
