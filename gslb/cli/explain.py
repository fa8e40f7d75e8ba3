"""``gslb explain``: why a client gets the answer it gets, step by step, then the answer as dig prints it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gslb.cli.output import moment, print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gslb.cli.client import Client
    from gslb.cli.what_if import WhatIf

    Row = tuple[str, ...]

ROWS_LIMIT = 20
"""Rows of a table for what goes on, and as many for what was removed."""

_FOUND = {
    "exact": "{name} exists in the zone",
    "wildcard": "{name} does not exist; the wildcard {node} answers",
    "delegation": "{name} is delegated away at {node}",
    "dname": "{name} is below the DNAME {node}",
    "name_error": "{name} does not exist in the zone",
}

_OUTCOMES = {
    "last_resort": "last resort: the records that the zone itself has at the name",
    "not_offered": "the pool has no address of this type: the records that the zone itself has at the name",
    "nodata": "no data",
    "servfail": "SERVFAIL",
}

_VALUES = {
    "rank": ("RANK", "{:.0f}", "not listed"),
    "tier": ("TIER", "{:.0f}", "not listed"),
    "kilometres": ("DISTANCE", "{:.0f} km", "unknown"),
    "milliseconds": ("LATENCY", "{:.1f} ms", "not measured"),
    "weight": ("WEIGHT", "{:.0f}", "-"),
}
"""A step's unit to the heading of its values, how one is written, and what stands where there is none."""


def explain(
    client: Client,
    name: str,
    rtype: str,
    *,
    address: str,
    subnet: str | None,
    what_if: WhatIf,
    as_json: bool,
) -> None:
    """Print each step of the answer, and the answer."""
    report = client.get(
        "/v1/explain", name=name, type=rtype, client=address, subnet=subnet, **what_if.query()
    )
    if as_json:
        print_json(report)
        return
    asker = f"{report['client']} with client subnet {report['subnet']}" if subnet else report["client"]
    print_facts(
        [
            ("question", f"{report['name']} {report['type']} from {asker}"),
            ("generation", str(report["generation"])),
            *([("supposing", report["supposing"]["text"])] if report.get("supposing") else []),
        ]
    )
    for step in report["steps"]:
        if step["step"] == "steer":
            _print_steering(step, report["endpoints"])
        else:
            print_facts([_fact(step)])
    _print_response(report["answer"])


def _fact(step: dict[str, Any]) -> tuple[str, str]:
    """A step other than steering."""
    match step["step"]:
        case "zone":
            return "zone", f"{step['origin']} serial {step['serial']}"
        case "no_zone":
            return "zone", "none here holds the name"
        case "find":
            return "name", _FOUND.get(step["found"], step["found"]).format(**step)
        case "records":
            return "records", f"{step['count']} {step['rtype']} of the zone"
        case "follow":
            return "alias", f"leads to {step['target']}"
        case other:  # of a newer server
            return str(other), json.dumps({key: value for key, value in step.items() if key != "step"})


def _print_steering(steering: dict[str, Any], endpoints: dict[str, Any]) -> None:
    print_facts(_matched(steering))
    for number, step in enumerate(steering["steps"], 1):
        if step["step"] == "answer" and not step["removed"]:
            break  # what the last step left, which the outcome tells
        say("")
        say(f"{number}. {_title(step)}")
        rows = list(_rows(step, endpoints))
        if rows:
            print_table(_headings(step), rows, indent=3)
        for hidden, word in ((_kept(step), "that go on"), (len(step["removed"]), "that were removed")):
            if hidden > ROWS_LIMIT:
                say(f"   … and {hidden - ROWS_LIMIT} more {word} (--json has all)")
        if not step["groups"]:
            break
    say("")
    print_facts(_outcome(steering))


def _matched(steering: dict[str, Any]) -> Iterator[tuple[str, str]]:
    location = steering["location"]
    known = [location[key] for key in ("continent", "country", "subdivision") if location[key]]
    if location["asn"] is not None:
        known.append(f"AS{location['asn']}")
    if location.get("latitude") is not None:
        known.append(f"at {location['latitude']:.2f}, {location['longitude']:.2f}")
    yield "client", f"{steering['client']}: {' '.join(known) or 'not in the geo databases'}"
    for word in ("name", "pool", "policy"):
        declared = steering[word]
        if declared:
            label = "steered" if word == "name" else word
            yield label, f"{declared['name']} ({declared['file']}:{declared['line']})"
    if steering["class"] is not None:
        count, prefix = steering["class_count"], steering["prefix"]
        classes = f"one of {count} location classes" if count > 1 else "the only location class"
        yield "class", f"{classes}; decided alike for every client in {prefix}"


def _title(step: dict[str, Any]) -> str:
    word = step["step"]
    matched = step.get("matched")
    if matched:
        rule = " ".join(dict.fromkeys((matched["kind"], matched["value"])))  # the default's value is its kind
        word += f", by {rule} ({matched['file']}:{matched['line']})"
    elif word == "geo":
        word += ", no rule is for this client"
    if not step["candidates"]:
        return f"{word}: no endpoint came this far"
    return f"{word}: {_kept(step)} of {step['candidates']} go on"


def _kept(step: dict[str, Any]) -> int:
    return sum(map(len, step["groups"]))


def _headings(step: dict[str, Any]) -> Row:
    headings = ["POP", "ADDRESS"]
    if step["step"] == "verdict":
        headings.append("OBSERVED")
    if step.get("unit") in _VALUES:
        headings += [_VALUES[step["unit"]][0], "ORDER"]
    return (*headings, "RESULT")


def _rows(step: dict[str, Any], endpoints: dict[str, Any]) -> Iterator[Row]:
    """A row for each endpoint: those that go on, in their order (equals share a number), then the rest."""
    kept = [(candidate, str(order)) for order, group in enumerate(step["groups"], 1) for candidate in group]
    for candidate, order in kept[:ROWS_LIMIT]:
        yield _row(step, candidate, endpoints, order, "goes on")
    for candidate in step["removed"][:ROWS_LIMIT]:
        why = candidate["why"]
        if why == "drained":
            why = _drained(endpoints.get(str(candidate["endpoint"])))
        yield _row(step, candidate, endpoints, "-", f"removed: {why}")


def _row(
    step: dict[str, Any], candidate: dict[str, Any], endpoints: dict[str, Any], order: str, result: str
) -> Row:
    cells = [candidate["pop"], candidate["address"]]
    if step["step"] == "verdict":
        cells.append(_observed(endpoints.get(str(candidate["endpoint"]))))
    if step.get("unit") in _VALUES:
        _, shape, missing = _VALUES[step["unit"]]
        value = candidate.get("value")
        cells += [missing if value is None else shape.format(value), order]
    return (*cells, result)


def _observed(endpoint: dict[str, Any] | None) -> str:
    """What probes say of an endpoint and since when."""
    if endpoint is None:
        return "-"
    if not endpoint["monitor"]:
        return "not monitored"
    text = str(endpoint["observed"])
    if endpoint["since"]:
        text += f" since {moment(endpoint['since'])}"
    return f"{text}: {endpoint['reason']}" if text.startswith("down") and endpoint["reason"] else text


def _drained(endpoint: dict[str, Any] | None) -> str:
    drain = endpoint and endpoint["drain"]
    if not drain:
        return "drained"
    until = f" until {moment(drain['expires_at'])}" if drain["expires_at"] else ""
    return f"drained by {drain['author']}{until}: {drain['reason']}"


def _outcome(steering: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if steering["when_all_down"]:
        yield "all down", f"{steering['when_all_down']['value']}: {steering['when_all_down']['reason']}"
    if steering["outcome"] == "answer":
        yield "outcome", ", ".join(f"{chosen['pop']} {chosen['address']}" for chosen in steering["answer"])
        yield "TTL", f"{steering['ttl']['value']} s: {steering['ttl']['reason']}"
    else:
        yield "outcome", _OUTCOMES.get(steering["outcome"], str(steering["outcome"]))
    yield "scope", f"/{steering['scope']['value']}: {steering['scope']['reason']}"


def _print_response(response: dict[str, Any] | None) -> None:
    say("")
    if response is None:
        say(";; no response")
        return
    say(f";; status: {response['rcode']}, flags: {' '.join(response['flags'])}")
    if response["edns"]:
        for option in response["edns"]["options"]:
            say(f";; EDNS: {option}")
    for section in ("answer", "authority", "additional"):
        records = response[section]
        if records:
            say(f";; {section.upper()} SECTION:")
            width = max(len(record["name"]) for record in records)
            for record in records:
                say(f"{record['name']:{width}}  {record['ttl']:>6}  IN  {record['type']:5}  {record['data']}")
