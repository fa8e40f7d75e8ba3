"""Makes a failing steering case smaller, as long as it goes on failing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.scenarios.steering_geography import Geography
    from tests.scenarios.steering_reference import Document

Question = tuple[int, int, str, bytes, bytes]
Case = tuple["Document", "Geography", Question]


def shrink(
    document: Document,
    place: Geography,
    question: Question,
    fails: Callable[[Document, Geography, Question], bool],
) -> Case:
    """The smallest case that is found by leaving out one thing after another."""
    case: Case = (document, place, question)
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(case):
            if fails(*candidate):
                case, smaller = candidate, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    """Each case that lacks one thing of this one."""
    document, place, (name, rtype, client, verdicts, loads) = case
    if len(document["names"]) > 1:
        yield document | {"names": [document["names"][name]]}, place, (0, rtype, client, verdicts, loads)
    if loads:
        yield document, place, (name, rtype, client, verdicts, b"")
    for number, octet in enumerate(verdicts):
        if octet:
            other = verdicts[:number] + b"\0" + verdicts[number + 1 :]
            yield document, place, (name, rtype, client, other, loads)
    for database in range(len(place.databases)):
        rows = place.databases[database]
        for row in range(len(rows)):
            databases = list(place.databases)
            databases[database] = rows[:row] + rows[row + 1 :]
            yield document, replace(place, databases=tuple(databases), _found={}), case[2]
        if not rows:
            rest = place.databases[:database] + place.databases[database + 1 :]
            yield document, replace(place, databases=rest, _found={}), case[2]
    for row in range(len(place.overrides)):
        rest = place.overrides[:row] + place.overrides[row + 1 :]
        yield document, replace(place, overrides=rest, _found={}), case[2]
    for smaller, kept in _smaller_documents(document):
        yield smaller, place, (name, rtype, client, verdicts if kept is None else kept(verdicts), loads)


def _smaller_documents(document: Document) -> Iterator[tuple[Document, Callable[[bytes], bytes] | None]]:
    """Documents that lack one thing, and what becomes of the verdicts where endpoints are left out."""
    for owner, number, key in _lists(document):
        for item in range(len(document[owner][number][key])):
            smaller = copy.deepcopy(document)
            del smaller[owner][number][key][item]
            yield smaller, _without(document, number, item) if key == "endpoints" else None
    for policy, row in enumerate(document["policies"]):
        for step, settings in enumerate(row["steps"]):
            for key in ("rules", "tiers", "bias"):
                for item in range(len(settings.get(key) or ())):
                    smaller = copy.deepcopy(document)
                    del smaller["policies"][policy]["steps"][step][key][item]
                    yield smaller, None
            for rule, listed in enumerate(settings.get("rules") or ()):
                for item in range(len(listed["units"]) - 1):
                    smaller = copy.deepcopy(document)
                    del smaller["policies"][policy]["steps"][step]["rules"][rule]["units"][item]
                    yield smaller, None
    for row in range(len(document["latency"])):
        rows = document["latency"][:row] + document["latency"][row + 1 :]
        yield document | {"latency": rows}, None
    for pool, row in enumerate(document["pools"]):
        for key, plain in (("policy", None), ("min_healthy", {}), ("when_all_down", "nodata")):
            if row[key] != plain:
                smaller = copy.deepcopy(document)
                smaller["pools"][pool][key] = plain
                yield smaller, None


def _lists(document: Document) -> Iterator[tuple[str, int, str]]:
    """The lists of which something may be left out: steps, endpoints, members."""
    for number in range(len(document["policies"])):
        yield "policies", number, "steps"
    for number, pool in enumerate(document["pools"]):
        for key in ("endpoints", "members"):
            if len(pool[key]) > 1:
                yield "pools", number, key


def _without(document: Document, pool: int, item: int) -> Callable[[bytes], bytes]:
    before = sum(len(row["endpoints"]) for row in document["pools"][:pool]) + item
    return lambda verdicts: verdicts[:before] + verdicts[before + 1 :]
