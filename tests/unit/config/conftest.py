"""A site directory to write files into."""

import pytest

from gslb.config.loader import load_steering

GOOD = """\
pops:
  fra: {latitude: 50.1, longitude: 8.7}
  ams: {latitude: 52.4, longitude: 4.9}
monitors:
  health: {type: http, port: 80}
pools:
  web:
    monitor: health
    when_all_down: nodata
    endpoints:
      - {pop: fra, address: 192.0.2.1}
      - {pop: ams, address: 192.0.2.2}
policies:
  near:
    - failover: [fra, ams]
names:
  www.example.com: {pool: web, policy: near}
"""


class SiteDirectory:
    """Writes files and loads the YAML among them; findings as ``(rule, severity, file:line)``."""

    def __init__(self, path):
        self.path = path
        self.config = None
        self.findings = ()

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return self

    def load(self):
        self.config, self.findings = load_steering(self.path)
        return self

    def rules(self, *severities):
        wanted = severities or ("error",)
        return [
            (finding.rule, f"{finding.place.file}:{finding.place.line}")
            for finding in self.findings
            if finding.severity in wanted
        ]

    def messages(self, rule):
        return [finding.message for finding in self.findings if finding.rule == rule]


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return SiteDirectory(tmp_path)


@pytest.fixture
def good():
    return GOOD
