"""A stand-in for the native zone reader, and a site directory to write files into."""

from pathlib import Path

import dns.exception
import dns.rdatatype
import dns.zone
import pytest

from tests.unit.zones.checks_site import Site

ZONE = """\
$TTL 300
@ IN SOA ns1 hostmaster 1 7200 1800 1209600 300
@ IN NS ns1
ns1 IN A 192.0.2.53
"""

SITE = """\
pops: {fra: }
monitors: {health: {type: http, port: 80}}
pools:
  web: {monitor: health, when_all_down: nodata, endpoints: [{pop: fra, address: 192.0.2.1}]}
policies: {any: [weighted]}
names:
  www.example.com: {pool: web, policy: any}
"""


class FakeZone:
    """Reads a zone with dnspython; ``waiting`` are its pending records."""

    def __init__(self, path, origin):
        self.origin = origin
        self.files = [path]
        self.waiting = []
        self.filled = {}
        self.rejected = {}
        self.compile = list
        self._path = path
        self._findings = []
        self._rows = {}
        self.record_count = 0
        first = Path(path).read_text().split("\n")[0].split()
        if first[:1] == ["$ORIGIN"]:
            origin = first[1]
        try:
            zone = dns.zone.from_file(path, origin=origin, relativize=False, check_origin=False)
        except (dns.exception.DNSException, ValueError) as error:
            self._findings.append(("zone-syntax", "error", path, 2, 1, str(error)))
            return
        self.origin = zone.origin.to_text().lower()
        for name, _, rdata in zone.iterate_rdatas():
            self.record_count += 1
            self._rows.setdefault(name.to_text().lower(), []).append((int(rdata.rdtype), path, 7))

    def pending(self):
        return self.waiting

    def fill(self, index, rdata):
        self.filled[index] = rdata

    def reject(self, index, message):
        self.rejected[index] = message
        self._findings.append(("zone-syntax", "error", self._path, index, 0, message))

    def check(self, origins=None, steered=()):
        return self._findings, []

    def records(self, types, limit, **conditions):
        return []

    def presence(self, targets, steered):
        return [2] * len(targets)

    def owners(self, names):
        return [self._rows.get(name, []) for name in names]


class SiteDirectory:
    """Writes the files of a site."""

    def __init__(self, path):
        self.path = path

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return self


@pytest.fixture
def read_zone():
    return FakeZone


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site").mkdir()
    return SiteDirectory(tmp_path / "site").write("example.com.zone", ZONE).write("site.yaml", SITE)


@pytest.fixture
def zone_text():
    return ZONE


@pytest.fixture
def site_text():
    return SITE


@pytest.fixture
def checked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Site(tmp_path)
