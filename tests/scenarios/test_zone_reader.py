"""The native zone-file reader gives the records that dnspython gives."""

from __future__ import annotations

import ast
import contextlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import dns.exception
import dns.name
import dns.rdatatype
import dns.version
import dns.zone
import pytest
from hypothesis import given

from gslb.zones.pending import resolve_pending
from gslb.zones.source import read_zone_text
from tests.scenarios.examples import examples
from tests.scenarios.master_files import ORIGIN, MasterFile, master_files

Records = set[tuple[str, int, str, bytes]]
"""Owner in lower case, TTL in seconds, type, RDATA in wire format."""

LIMIT = 100_000
DOWNLOAD_SECONDS = 120


def by_gslb(path: Path, origin: str) -> tuple[Records, list[str]]:
    """The records, an RRset's TTL being its lowest as it is when served; and the errors."""
    zone = read_zone_text(str(path), origin)
    resolve_pending(zone)
    errors = [
        f"{Path(file).name}:{line}:{column}: {rule}: {message}"
        for rule, severity, file, line, column, message in zone.check()[0]
        if severity == "error"
    ]
    apex = dns.name.from_text(zone.origin)
    rows = [
        (owner, ttl, dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rtype)), rdata)
        for owner, rtype, ttl, rdata, _, _ in zone.records([], LIMIT)
        if dns.name.from_text(owner).is_subdomain(apex)
    ]
    return _with_lowest_ttl(rows), errors


def by_dnspython(path: Path, origin: str) -> Records:
    """The same by dnspython, which leaves out-of-zone records out. Raises DNSException and others."""
    zone = dns.zone.from_file(str(path), origin, relativize=False, check_origin=False, allow_include=True)
    rows = [
        (name.to_text().lower(), ttl, dns.rdatatype.to_text(rdata.rdtype), rdata.to_wire())
        for name, ttl, rdata in zone.iterate_rdatas()
    ]
    return _with_lowest_ttl(rows)


def _with_lowest_ttl(rows: list[tuple[str, int, str, bytes]]) -> Records:
    # dnspython keeps the last of the types that stand alone.
    last = {
        row[:1] + row[2:3]: row for row in rows if dns.rdatatype.is_singleton(dns.rdatatype.from_text(row[2]))
    }
    lowest: dict[tuple[str, str], int] = {}
    for owner, ttl, rtype, _ in rows:
        lowest[owner, rtype] = min(ttl, lowest.get((owner, rtype), ttl))
    return {
        (owner, lowest[owner, rtype], rtype, rdata)
        for owner, _, rtype, rdata in rows
        if last.get((owner, rtype), (rdata,))[-1] == rdata
    }


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # dnspython's, of an include in error
@examples(150)
@given(master_files())
def test_generated_files_read_alike(made: MasterFile) -> None:
    with tempfile.TemporaryDirectory() as directory, contextlib.chdir(directory):
        path = Path("made.zone")
        for name, text in {path.name: made.text, **made.includes}.items():
            Path(name).write_text(text)
        records, errors = by_gslb(path, ORIGIN)
        try:
            wanted = by_dnspython(path, ORIGIN)
        except dns.zonefile.CNAMEAndOtherData:
            # A signature over another type is for dnspython no company for a CNAME; here any signature is.
            is_signature = any(rtype == "RRSIG" for _, _, rtype, _ in records)
            assert is_signature or any("zone-cname-and-other-data" in error for error in errors)
        else:
            assert records == wanted, errors


@pytest.fixture(scope="module")
def sources(pytestconfig: pytest.Config) -> Path:
    """The tests of the dnspython that is installed here, from its source; kept by pytest's cache."""
    assert pytestconfig.cache is not None
    kept = pytestconfig.cache.mkdir("dnspython-source")
    version = dns.version.version
    archive = kept / f"dnspython-{version}.tar.gz"
    if not archive.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--retries", "0", "--timeout", "10"]
        command += ["--no-deps", "--no-binary", "dnspython", "--dest", str(kept), f"dnspython=={version}"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=DOWNLOAD_SECONDS)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
            pytest.skip(f"pip cannot download the source of dnspython {version}: {error}")
    unpacked = kept / f"dnspython-{version}"
    if not unpacked.exists():
        with tarfile.open(archive) as opened:
            opened.extractall(kept, filter="data")
    return unpacked / "tests"


def zones_of(sources: Path) -> dict[str, str]:
    """What may be a zone in those tests: whole files, and texts within the programs, by where they stand."""
    found = {}
    for path in sorted(sources.iterdir()):
        if path.is_dir() or path.suffix == ".pickle":
            continue
        text = path.read_text()
        if path.suffix != ".py":
            found[path.name] = text
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" in node.value:
                found[f"{path.name}:{node.lineno}"] = node.value
    return found


BEYOND_ASCII = ("is not ASCII", "'$UNICODE' is not known")
"""dnspython turns other scripts into xn-- names, as no server's reader does; gslb asks for that form."""


def test_zones_of_dnspythons_own_tests_read_alike(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sources.parent)  # where its tests run: files to include are named from there
    path = tmp_path / "own.zone"
    read = 0
    for where, text in zones_of(sources).items():
        path.write_text(text)
        records, errors = by_gslb(path, "example.")
        # Not all are whole zones.
        errors = [error for error in errors if not any(rule in error for rule in ("zone-soa", "zone-no-ns"))]
        try:
            wanted = by_dnspython(path, "example.")
        except (dns.exception.DNSException, ValueError, OSError):
            assert errors or not records, where
            continue
        if errors and all(any(known in error for known in BEYOND_ASCII) for error in errors):
            assert records < wanted, where
            continue
        assert records == wanted, (where, errors)
        read += bool(wanted)
    assert read >= 50
