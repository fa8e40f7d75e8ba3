"""SPF, DMARC and CAA records of all zones of a site."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from gslb.model.finding import Finding, Place, Severity
from gslb.zones.checks.caa import caa_problems
from gslb.zones.checks.dmarc import dmarc_problems, is_dmarc
from gslb.zones.checks.records import CAA, TXT, Record, records_of, text_of
from gslb.zones.checks.spf import MAXIMUM_LOOKUPS, count_lookups, is_spf, nearly_spf, spf_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gslb._dataplane import ZoneText

MAXIMUM_RECORDS = 200_000
"""TXT and CAA records looked at in a zone."""


class TextChecks:
    """Reads the zones first, so that SPF records can be followed from one to another."""

    def __init__(self) -> None:
        self._spf: dict[str, list[tuple[Record, str]]] = {}
        self._findings: dict[str, list[Finding]] = {}
        self._owners: dict[str, list[str]] = {}

    def read(self, zone: ZoneText) -> None:
        """Check what a record says on its own, and keep its SPF records."""
        findings: list[Finding] = []
        dmarc: list[tuple[Record, str]] = []
        count = 0
        for record in records_of(zone, (TXT, CAA), MAXIMUM_RECORDS):
            count += 1
            if record.rtype == CAA:
                findings += [
                    record.finding("zone-caa-syntax", f"CAA {text}") for text in caa_problems(record.rdata)
                ]
                continue
            text = text_of(record.rdata)
            if record.owner.startswith("_dmarc."):
                dmarc.append((record, text))
            elif is_spf(text):
                if record.owner not in self._spf:
                    self._owners.setdefault(zone.origin, []).append(record.owner)
                self._spf.setdefault(record.owner, []).append((record, text))
            elif nearly_spf(text):
                message = 'this looks like SPF but does not begin with "v=spf1 ", so it is ignored'
                findings.append(record.finding("zone-spf-syntax", f"{message} (RFC 7208 section 4.5)"))
        if count == MAXIMUM_RECORDS:
            message = f"TXT and CAA records after the first {MAXIMUM_RECORDS:,} of the zone were not checked"
            findings.append(Finding("zone-unchecked", Severity.INFO, Place(zone.files[0]), message))
        dmarc.sort(key=lambda one: one[0].owner)
        for _, group in groupby(dmarc, key=lambda one: one[0].owner):
            findings += _check_dmarc(list(group))
        if count:
            self._findings[zone.origin] = findings

    def findings(self) -> Iterator[tuple[str, Finding]]:
        """Every finding, with the origin of its zone; once all zones are read."""
        known = {owner: records[0][1] for owner, records in self._spf.items()}
        for origin, findings in self._findings.items():
            for finding in findings:
                yield origin, finding
            for owner in self._owners.get(origin, ()):
                for finding in _check_spf(self._spf[owner], known):
                    yield origin, finding


def _check_spf(records: list[tuple[Record, str]], known: Mapping[str, str]) -> Iterator[Finding]:
    """The SPF records of one owner."""
    rule = "zone-spf-syntax"
    first = records[0][0]
    for record, _ in records[1:]:
        message = (
            f"a name may have one SPF record only (first at {first.place}): merge them (RFC 7208 section 3.2)"
        )
        yield record.finding(rule, message)
    for record, text in records:
        for problem in spf_problems(text):
            yield record.finding(rule, f"SPF: {problem}")
        lookups = count_lookups(text, known)
        if lookups > MAXIMUM_LOOKUPS:
            message = (
                f"SPF: this record leads to more than {MAXIMUM_LOOKUPS} terms that ask the DNS, so receivers "
                "take it for an error: name addresses instead (RFC 7208 section 4.6.4)"
            )
            yield record.finding(rule, message)


def _check_dmarc(records: list[tuple[Record, str]]) -> Iterator[Finding]:
    """The TXT records of one _dmarc owner."""
    rule = "zone-dmarc-syntax"
    valid = [(record, text) for record, text in records if is_dmarc(text)]
    for record, text in records:
        if not is_dmarc(text):
            message = "a TXT record at _dmarc must begin with v=DMARC1; it is ignored (RFC 7489 section 6.3)"
            yield record.finding(rule, message)
    for record, _ in valid[1:]:
        first = valid[0][0].place
        message = f"a name may have one DMARC record only (first at {first}) (RFC 7489 section 6.6.3)"
        yield record.finding(rule, message)
    for record, text in valid:
        for problem in dmarc_problems(text):
            yield record.finding(rule, f"DMARC: {problem} (RFC 7489 section 6.3)")
