"""``tests.yaml``: what a site expects of its own steering."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated, Any, Required

import dns.rcode
import dns.rdatatype
from pydantic import ConfigDict, PlainValidator, with_config
from typing_extensions import TypedDict

from gslb.config import values
from gslb.config.files import UnreadableFileError, display_path, find_files, read_text
from gslb.config.forms import MAXIMUM_TTL, read_parts
from gslb.config.locations import parse_location_value
from gslb.config.names import parse_owner_name
from gslb.config.report import Cursor, Report, report_unknown_key
from gslb.config.wording import did_you_mean, one_of, quote
from gslb.model.finding import Place
from gslb.model.policy_test import Client, Conditions, Expectation, PolicyTest
from gslb.model.site import LocationKind

if TYPE_CHECKING:
    from pathlib import Path

    from gslb.model.finding import Finding
    from gslb.model.site import SteeringConfig

TEST_FILES = frozenset({"tests.yaml", "tests.yml"})
"""Files that hold expectations of a site, not the site."""

MAXIMUM_TESTS = 10_000

_FORBID = ConfigDict(extra="forbid")
_CLIENT_KINDS = ("subnet", "asn", "subdivision", "country", "continent")


def _name(value: object) -> str:
    try:
        return parse_owner_name(values.text(value))
    except ValueError as error:
        raise ValueError(f"must be a name: {error}") from None


def _type(value: object) -> str:
    try:
        rtype = dns.rdatatype.from_text(values.text(value))
    except (dns.rdatatype.UnknownRdatatype, ValueError):
        raise ValueError(f"must be a record type such as A, not {quote(value)}") from None
    return dns.rdatatype.to_text(rtype)


def _rcode(value: object) -> str:
    words = ("NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED")
    return values.choice(words)(value)


def _client(value: object) -> Client:
    """An address or a subnet, or a mapping with one kind of location."""
    if isinstance(value, str):
        try:
            network = ip_network(value, strict=False)
        except ValueError:
            message = (
                f"must be an address, a subnet or a location such as {{country: DE}}, not {quote(value)}"
            )
            raise ValueError(message) from None
        return Client(address=str(network[0] if "/" in value else network.network_address))
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(f"must be an address or one of {one_of(_CLIENT_KINDS)} with its value")
    kind, text = next(iter(value.items()))
    if kind not in _CLIENT_KINDS:
        hint = did_you_mean(kind, _CLIENT_KINDS)
        raise ValueError(f"must be one of {one_of(_CLIENT_KINDS)}, not {quote(kind)}{hint}")
    located = parse_location_value(LocationKind(kind), str(text))
    if kind == "subnet":
        return Client(address=str(ip_network(located)[0]))
    return Client(kind=LocationKind(kind), value=located)


def _some(value: object) -> tuple[str, ...]:
    return values.references(value)


def _loads(value: object) -> dict[str, float]:
    read = values.number(0, 65)
    return {name: read(load) for name, load in values.mapping(value).items()}


def _records(value: object) -> frozenset[str]:
    return frozenset(values.text(item) for item in values.sequence(value))


Pops = Annotated[tuple[str, ...], PlainValidator(_some)]


@with_config(_FORBID)
class PolicyTestForm(TypedDict, total=False):
    """Settings of one test."""

    title: Annotated[str, PlainValidator(values.text)]
    ask: Required[Annotated[str, PlainValidator(_name)]]
    type: Annotated[str, PlainValidator(_type)]
    client: Required[Annotated[Client, PlainValidator(_client)]]
    down: Pops
    drain: Pops
    load: Annotated[dict[str, float], PlainValidator(_loads)]
    expect: Required[Annotated[dict[str, Any], PlainValidator(values.mapping)]]


@with_config(_FORBID)
class ExpectForm(TypedDict, total=False):
    """Settings of what a test expects."""

    pops: Pops
    among: Pops
    never: Pops
    records: Annotated[frozenset[str], PlainValidator(_records)]
    rcode: Annotated[str, PlainValidator(_rcode)]
    ttl: Annotated[int, PlainValidator(values.whole_seconds(0, MAXIMUM_TTL))]
    scope: Annotated[int, PlainValidator(values.integer(0, 128))]
    alias: Annotated[str, PlainValidator(_name)]


def load_policy_tests(
    directory: Path, steering: SteeringConfig
) -> tuple[tuple[PolicyTest, ...], tuple[Finding, ...]]:
    """Read every ``tests.yaml`` of a site, at any depth; what is wrong with them is among the findings."""
    report = Report()
    tests: list[PolicyTest] = []
    try:
        paths = find_files(directory, TEST_FILES.__contains__)
    except UnreadableFileError as error:
        report.error("site-unreadable", Place(display_path(error.path)), str(error))
        paths = []
    for path in paths:
        _read_file(path, _Reader(steering, report, tests))
    return tuple(tests), tuple(report.findings)


def _read_file(path: Path, reader: _Reader) -> None:
    from gslb.config.yaml import MAXIMUM_OCTETS, parse  # noqa: PLC0415 - few sites have tests

    file, report = display_path(path), reader.report
    try:
        document, problems = parse(read_text(path, MAXIMUM_OCTETS))
    except UnreadableFileError as error:
        report.error("site-unreadable", Place(file), f"the file {error}")
        return
    for problem in problems:
        place = Place(file, problem.position.line, problem.position.column)
        report.error("site-syntax", place, problem.message)
    if document is None or document.value is None or problems:
        return
    top = Cursor(file, document, (), document.value)
    if not isinstance(top.value, dict) or not isinstance(top.value.get("tests", []), list):
        report.error("site-invalid-value", top.place, "a file of tests must be a mapping with a list, tests")
        return
    for key, section in top.children():
        if key != "tests":
            report_unknown_key(report, section.key_place, key, ("tests",), "a file of tests")
            continue
        for number, item in enumerate(section.items(), 1):
            reader.read(item, number)


class _Reader:
    """Reads tests one by one."""

    def __init__(self, steering: SteeringConfig, report: Report, tests: list[PolicyTest]) -> None:
        self.report = report
        self._tests = tests
        self._pops = {pop.name for pop in steering.pops}
        self._in_pools = {
            f"{pool.name}/{endpoint.pop}" for pool in steering.pools for endpoint in pool.endpoints
        }

    def read(self, cursor: Cursor, number: int) -> None:
        """Read one test, of a ``number`` in its file, and note every error in it."""
        what = f"test {number}"
        if isinstance(cursor.value, dict) and isinstance(cursor.value.get("title"), str):
            what = f"test {quote(cursor.value['title'])}"
        settings, is_whole = read_parts(PolicyTestForm, cursor, what, self.report)
        expected: dict[str, Any] = {}
        if "expect" in settings:
            child = cursor.child("expect")
            expected, is_whole_too = read_parts(ExpectForm, child, f"expect of {what}", self.report)
            is_whole = is_whole and is_whole_too
            if is_whole_too and not expected:
                message = (
                    f"{what} expects nothing; give pops, among, never, records, rcode, ttl, scope or alias"
                )
                self.report.error("site-missing-key", child.place, message)
                is_whole = False
            for key in ("pops", "among", "never"):
                is_whole &= self._are_known(expected.get(key, ()), child.place_at((key,)), what, self._pops)
        is_whole &= self._are_known(settings.get("drain", ()), cursor.place_at(("drain",)), what, self._pops)
        is_whole &= self._are_known(settings.get("load", ()), cursor.place_at(("load",)), what, self._pops)
        is_whole &= self._are_known(
            settings.get("down", ()), cursor.place_at(("down",)), what, self._pops | self._in_pools
        )
        if len(self._tests) >= MAXIMUM_TESTS:
            if is_whole:
                message = f"the site has more than {MAXIMUM_TESTS:,} tests"
                self.report.error("site-too-many", cursor.place, message)
            return
        if is_whole:
            self._tests.append(_test(settings, expected, cursor.place))

    def _are_known(self, names: Any, place: Place, what: str, known: set[str]) -> bool:
        unknown = [name for name in names if name not in known]
        for name in unknown:
            hint = did_you_mean(name, known)
            self.report.error(
                "site-unknown-pop", place, f"{what} refers to the unknown POP {quote(name)}{hint}"
            )
        return not unknown


def _test(settings: dict[str, Any], expected: dict[str, Any], place: Place) -> PolicyTest:
    conditions = Conditions(**{key: settings[key] for key in ("down", "drain", "load") if key in settings})
    expect = Expectation(**expected)
    client, ask = settings["client"], settings["ask"]
    title = settings.get("title") or f"{ask} {settings.get('type', 'A')} from {client}"
    return PolicyTest(
        title=title,
        ask=ask,
        type=settings.get("type", "A"),
        client=client,
        conditions=conditions,
        expect=expect,
        place=place,
    )
