"""A small site without geo databases, for tests that need the real data plane over a real directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ZONE = """\
$TTL 300
@ 3600 IN SOA ns1 hostmaster 10 7200 1800 1209600 300
@ 3600 IN NS ns1
ns1 IN A 192.0.2.53
www IN A 192.0.2.99
alias IN CNAME www
*.wild IN TXT "anything"
lab IN NS ns1.lab
ns1.lab IN A 192.0.2.77
"""

SITE = """\
pops: {fra: {latitude: 50, longitude: 8}, ams: , sin: }
monitors: {health: {type: tcp, port: 80, jitter: 0}}
pools:
  web:
    monitor: health
    when_all_down: fallback
    endpoints:
      - {pop: fra, address: 192.0.2.1}
      - {pop: ams, address: 192.0.2.2, weight: 300}
      - {pop: sin, address: 192.0.2.3}
policies:
  measured:
    - geo: {default: [ams]}
    - latency
    - distance
    - take: 2
names:
  www.example.com: {pool: web, policy: measured, ttl: 20}
latency: {table: latency.csv}
"""

LATENCY = "location,pop,ms\ndefault,fra,12.345\ndefault,ams,30\n"


def write_site(directory: Path, **files: str) -> Path:
    """Write the site; ``files`` replace or add to it, ``example_com_zone`` being ``example.com.zone``."""
    directory.mkdir(exist_ok=True)
    (directory / "example.com.zone").write_text(files.get("zone", ZONE))
    (directory / "site.yaml").write_text(files.get("site", SITE))
    (directory / "latency.csv").write_text(files.get("latency", LATENCY))
    return directory
