"""What a server of zones alone does without before its first answer, since it is slow to import."""

from __future__ import annotations

import subprocess
import sys

LATER = (
    "aiohttp",
    "dns.message",
    "dns.name",
    "dns.rdata",
    "email",
    "http.client",
    "importlib.metadata",
    "prometheus_client",
    "pydantic.plugin._loader",  # which making a validator imports
    "watchfiles",
    "yaml",
)

ZONE = """
$TTL 300
@ SOA ns1 host 1 7200 1800 1209600 300
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns2 A 192.0.2.2
"""

PROGRAM = """
import sys
from pathlib import Path
import gslb.cli.serve
from gslb.model.change import Overlay
from gslb.prepare import prepare_site

prepared = prepare_site(Path(sys.argv[1]), Overlay(), lambda _: False)
print(*prepared.zones, *(name for name in sys.argv[2:] if name in sys.modules))
"""


def test_a_zone_is_ready_before_what_is_slow_to_import_is(tmp_path):
    (tmp_path / "example.com.zone").write_text(ZONE)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), *LATER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "example.com.\n", "imported too soon"
