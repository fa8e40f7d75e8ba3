"""The site that the tests serve: two zones, three POPs, one pool with probes and one without."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FRA, AMS, IAD = "192.0.2.10", "192.0.2.20", "198.51.100.10"
FRA6, AMS6, IAD6 = "2001:db8:f::10", "2001:db8:a::10", "2001:db8:d::10"
LAST_RESORT = "192.0.2.99"

# Clients that the databases place in Germany and the Netherlands, and one that a rule of its own catches.
GERMANY, NETHERLANDS, BY_SUBNET = "192.0.2.0/24", "10.31.7.0/24", "203.0.113.0/24"

INTERVAL, FALL, TIMEOUT = 1.0, 2, 0.2
LEAVES_WITHIN = INTERVAL * FALL + TIMEOUT
"""Seconds in which an endpoint that stops answering is out of answers (docs/guide/site.md)."""

ZONE = """\
$TTL 300
@        3600 IN SOA  ns1 hostmaster 2026010101 7200 1800 1209600 300
         3600 IN NS   ns1
         3600 IN NS   ns2
ns1           IN A    192.0.2.53
ns2           IN A    198.51.100.53
version       IN TXT  "1"
www           IN A    192.0.2.99
              IN TXT  "not an address"
api           IN A    192.0.2.99
*.cdn         IN A    192.0.2.99
status.cdn    IN A    192.0.2.60
shop          IN CNAME www
*.users       IN A    192.0.2.70
lab           IN NS   ns1.lab
ns1.lab       IN A    198.51.100.77
"""

OTHER_ZONE = """\
$TTL 300
@        IN SOA   ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 300
         IN NS    ns1.example.com.
www      IN CNAME www.example.com.
"""

STEERING = """\
pops:
  fra: {{title: Frankfurt}}
  ams: {{title: Amsterdam}}
  iad: {{title: Ashburn}}
geo:
  databases: [geo/city.mmdb]
monitors:
  well: {{type: http, port: 80, interval: {interval}, timeout: {timeout}, rise: 1, fall: {fall}, jitter: 0}}
policies:
  regional:
    - geo:
        subnet: {{203.0.113.0/24: [fra, iad]}}
        country: {{DE: [fra, ams, iad], NL: [ams, fra, iad]}}
        default: [iad, ams, fra]
    - take: 1
"""

POOLS = """\
pools:
  web:
    monitor: well
    when_all_down: serve_all
    endpoints:
      - {{pop: fra, address: 192.0.2.10, probe: "127.0.0.1:{fra}"}}
      - {{pop: ams, address: 192.0.2.20, probe: "127.0.0.1:{ams}"}}
      - {{pop: iad, address: 198.51.100.10, probe: "127.0.0.1:{iad}"}}
      - {{pop: fra, address: "2001:db8:f::10", probe: "127.0.0.1:{fra}"}}
      - {{pop: ams, address: "2001:db8:a::10", probe: "127.0.0.1:{ams}"}}
      - {{pop: iad, address: "2001:db8:d::10", probe: "127.0.0.1:{iad}"}}
  api:
    when_all_down: fallback
    endpoints:
      - {{pop: fra, address: 192.0.2.30}}
"""

NAMES = """\
names:
  www.example.com: {pool: web, policy: regional, ttl: 30, owner: web-team}
  api.example.com: {pool: api, policy: regional, ttl: 10}
  "*.cdn.example.com": {pool: web, policy: regional, ttl: 20}
"""


class Site:
    """A site directory. ``databases`` is a directory with city.mmdb, ``ports`` where each POP is probed."""

    def __init__(self, path: Path, databases: Path, ports: Mapping[str, int]) -> None:
        self.path = path
        path.mkdir(parents=True)
        (path / "geo").symlink_to(databases)
        self.write("example.com.zone", ZONE)
        self.write("partners/example.net.zone", OTHER_ZONE)
        self.write("steering.yaml", STEERING.format(interval=INTERVAL, timeout=TIMEOUT, fall=FALL))
        self.write("pools.yaml", POOLS.format(**ports))
        self.write("names.yaml", NAMES)

    def write(self, name: str, text: str) -> None:
        """Replace a file as an editor does: whoever reads sees all of it or nothing."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.new")
        new.write_text(text)
        new.replace(file)

    def write_version(self, version: object) -> None:
        """Change the TXT record of version.example.com."""
        self.write("example.com.zone", ZONE.replace('TXT  "1"', f'TXT  "{version}"'))

    def digest(self) -> dict[str, tuple[str, int, int]]:
        """Every file with its content's hash, mode and time of change."""
        return {
            str(file.relative_to(self.path)): (
                hashlib.sha256(file.read_bytes()).hexdigest(),
                file.stat().st_mode,
                file.stat().st_mtime_ns,
            )
            for file in sorted(self.path.rglob("*"))
            if file.is_file()
        }
