"""``gslb explain``: why a client gets the answer it gets, step by step, then the answer as dig prints it."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

from gslb.cli.output import moment, print_facts, print_json, print_table, say
from gslb.cli.what_if import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gslb.cli.client import Client
    from gslb.cli.what_if import WhatIf

    Row = tuple[str, ...]

ROWS_LIMIT = 20
"""Rows of a table for what goes on, and as many for what was removed."""

INDENT = 3
"""Columns by which tables stand in, and each level of member pools."""

_FOUND = {
    "exact": "{name} exists in the zone",
    "wildcard": "{name} does not exist; the wildcard {node} answers",
    "delegation": "{name} is delegated away at {node}",
    "dname": "{name} is below the DNAME {node}",
    "name_error": "{name} does not exist in the zone",
}

_REFLECTED = {
    "dns": "the resolver's address",
    "edns": "the client subnet's address, 0.0.0.0 without one",
    "best": "the client subnet's address, the resolver's without one",
    "both": "the client subnet's address and the resolver's",
}

_OUTCOMES = {
    "last_resort": "last resort: the records that the zone itself has at the name",
    "not_offered": "the pool has nothing of this type: the records that the zone itself has at the name",
    "nodata": "no data",
    "servfail": "SERVFAIL",
}

_VALUES = {
    "rank": ("RANK", "{:.0f}", "not listed"),
    "tier": ("TIER", "{:.0f}", "not listed"),
    "kilometres": ("DISTANCE", "{:.0f} km", "unknown"),
    "milliseconds": ("LATENCY", "{:.1f} ms", "not measured"),
    "weight": ("WEIGHT", "{:.0f}", "-"),
    "score": ("SCORE", "{:.4f}", "-"),
    "load": ("LOAD", "{:.2f}", "unknown"),
}
"""A step's unit to the heading of its values, how one is written, and what stands where there is none."""


def explain(
    client: Client,
    name: str,
    rtype: str,
    *,
    address: str,
    subnet: str | None,
    what_if: WhatIf = NOTHING,
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
        elif step["step"] == "reflect":
            print_facts(_reflected(step))
        elif step["step"] == "resolved":
            print_facts([("resolved", _resolved(step))])
        else:
            print_facts([_fact(step)])
    print_facts(_loop(report["name"], report["steps"]))
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


def _loop(name: str, steps: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """That aliases lead round in a loop: the last step is back at a name that was passed before."""
    if steps and steps[-1]["step"] == "follow":
        *passed, last = [step["target"].lower() for step in steps if step["step"] == "follow"]
        if last in (name.lower(), *passed):
            yield "loop", f"the aliases lead back to {last} again and again: nothing is found at their end"


def _resolved(step: dict[str, Any]) -> str:
    """What the site's resolver said of a name elsewhere."""
    if step["count"] is None:
        return f"nothing is known of {step['name']}"
    return f"{step['count']} {step['rtype']} of {step['name']}" + (", stale" if step["stale"] else "")


def _reflected(step: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A name that answers with the addresses of whoever asks."""
    yield "steered", _declared(step["name"])
    yield "reflects", f"{step['mode']}: {_REFLECTED[step['mode']]}"
    yield "resolver", str(step["resolver"])
    yield "subnet", step["subnet"] or "none counts"
    yield "outcome", ", ".join(step["answer"]) or "no data: there is no such address of this family"
    yield "TTL", f"{step['ttl']} s"
    yield "scope", f"/{step['scope']['value']}: {step['scope']['reason']}"


def _print_steering(steering: dict[str, Any], endpoints: dict[str, Any]) -> None:
    print_facts(_matched(steering))
    _print_steps(steering["steps"], endpoints)
    entered = steering.get("entered", ())
    for member, depth in zip(entered, _depths(steering["steps"], entered), strict=True):
        say("")
        print_facts(_entered(member), indent=INDENT * depth)
        _print_steps(member["steps"], endpoints, indent=INDENT * depth)
    say("")
    print_facts(_outcome(steering))


def _depths(steps: list[dict[str, Any]], entered: Sequence[dict[str, Any]]) -> Iterator[int]:
    """How deep each member pool that was entered lies, 1 for those of the name's own pool.

    A pool is entered before what is entered through it, so each is a member of the last one before it that
    let it go on, and has not been entered through that yet.
    """
    path = [_pools_kept(steps)]
    for member in entered:
        name = member["pool"]["name"]
        while len(path) > 1 and name not in path[-1]:
            path.pop()
        if name in path[-1]:
            path[-1].remove(name)
        yield len(path)
        path.append(_pools_kept(member["steps"]))


def _pools_kept(steps: list[dict[str, Any]]) -> list[str]:
    """The member pools that the last of the steps let go on."""
    last = steps[-1]["groups"] if steps else ()
    return [candidate["pool"] for candidate in chain.from_iterable(last) if "pool" in candidate]


def _print_steps(steps: list[dict[str, Any]], endpoints: dict[str, Any], *, indent: int = 0) -> None:
    margin = " " * indent
    for number, step in enumerate(steps, 1):
        if step["step"] == "answer" and not step["removed"]:
            break  # what the last step left, which the outcome tells
        say("")
        say(f"{margin}{number}. {_title(step)}")
        rows = list(_rows(step, endpoints))
        if rows:
            print_table(_headings(step), rows, indent=indent + INDENT)
        for hidden, word in ((_kept(step), "that go on"), (len(step["removed"]), "that were removed")):
            if hidden > ROWS_LIMIT:
                say(f"{margin}   … and {hidden - ROWS_LIMIT} more {word} (--json has all)")
        if not step["groups"]:
            break


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
            yield label, _declared(declared)
    if steering.get("health"):
        yield "health", _health(steering["health"])
    if steering["class"] is not None:
        count, prefix = steering["class_count"], steering["prefix"]
        classes = f"one of {count} location classes" if count > 1 else "the only location class"
        yield "class", f"{classes}; decided alike for every client in {prefix}"


def _entered(entered: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A member pool that was chosen."""
    yield "member", _declared(entered["pool"])
    yield "policy", _declared(entered["policy"]) if entered["policy"] else "none: all that serves is equal"
    yield "health", _health(entered["health"])


def _declared(declared: dict[str, Any]) -> str:
    return f"{declared['name']} ({declared['file']}:{declared['line']})"


def _health(health: dict[str, Any]) -> str:
    state = "available" if health["available"] else "not available"
    return f"{state}: {health['healthy']} healthy, {health['needed']} needed"


def _title(step: dict[str, Any]) -> str:
    word = step["step"]
    matched = step.get("matched")
    if matched:
        rule = " ".join(dict.fromkeys((matched["kind"], matched["value"])))  # the default's value is its kind
        word += f", by {rule} ({matched['file']}:{matched['line']})"
    elif word == "geo":
        word += ", no rule is for this client"
    if not step["candidates"]:
        return f"{word}: nothing came this far"
    title = f"{word}: {_kept(step)} of {step['candidates']} go on"
    return f"{title} ({step['note']})" if "note" in step else title


def _kept(step: dict[str, Any]) -> int:
    return sum(map(len, step["groups"]))


def _headings(step: dict[str, Any]) -> Row:
    headings = ["POOL"]
    if not _is_among_pools(step):
        headings = ["POP", "ADDRESS", *(["OBSERVED"] if step["step"] == "verdict" else [])]
    if step.get("unit") in _VALUES:
        headings += [_VALUES[step["unit"]][0], "ORDER"]
    return (*headings, "RESULT")


def _is_among_pools(step: dict[str, Any]) -> bool:
    """Whether a step chose among member pools, not endpoints."""
    candidates = [*chain.from_iterable(step["groups"]), *step["removed"]]
    return any("pool" in candidate for candidate in candidates)


def _rows(step: dict[str, Any], endpoints: dict[str, Any]) -> Iterator[Row]:
    """A row for each endpoint: those that go on, in their order (equals share a number), then the rest."""
    kept = [(candidate, str(order)) for order, group in enumerate(step["groups"], 1) for candidate in group]
    for candidate, order in kept[:ROWS_LIMIT]:
        yield _row(step, candidate, endpoints, order, "goes on")
    for candidate in step["removed"][:ROWS_LIMIT]:
        why = candidate["why"]
        endpoint = endpoints.get(str(candidate.get("endpoint")))
        if why == "drained":
            why = _drained(endpoint)
        elif why == "down" and _counts_as_down(endpoint):
            why = "down, as what is unknown counts (unknown_counts: down)"
        yield _row(step, candidate, endpoints, "-", f"removed: {why}")


def _row(
    step: dict[str, Any], candidate: dict[str, Any], endpoints: dict[str, Any], order: str, result: str
) -> Row:
    cells = [candidate["pool"]] if "pool" in candidate else [candidate["pop"], _target(candidate)]
    if step["step"] == "verdict" and "pool" not in candidate:
        cells.append(_observed(endpoints.get(str(candidate.get("endpoint")))))
    if step.get("unit") in _VALUES:
        cells += [_value(step["unit"], candidate), order]
    return (*cells, result)


def _target(candidate: dict[str, Any]) -> str:
    """What an endpoint answers with, but for declared records."""
    return str(candidate.get("address") or candidate.get("target") or "records")


def _value(unit: str, candidate: dict[str, Any]) -> str:
    """What a step went by, and what it made of that."""
    _, shape, missing = _VALUES[unit]
    value = candidate.get("value")
    text = missing if value is None else shape.format(value)
    if candidate.get("bias"):
        text += f" (bias {candidate['bias']:+.0f})"
    if candidate.get("band"):
        text += f", band {candidate['band']}"
    return f"{text}, shed" if candidate.get("shed") else text


def _observed(endpoint: dict[str, Any] | None) -> str:
    """What probes say of an endpoint and since when; of several monitors, what each does that is not up."""
    if endpoint is None:
        return "-"
    monitors = endpoint["monitors"]
    if not monitors:
        return "not monitored"
    text = str(endpoint["observed"])
    if endpoint["since"]:
        text += f" since {moment(endpoint['since'])}"
    if len(monitors) == 1:
        return f"{text}: {endpoint['reason']}" if endpoint["observed"] != "up" else text
    others = "; ".join(
        f"{one['monitor']} {one['observed']}: {one['reason']}" for one in monitors if one["observed"] != "up"
    )
    return f"{text} ({others})" if others else text


def _counts_as_down(endpoint: dict[str, Any] | None) -> bool:
    """Whether an endpoint is down since nothing is known of it."""
    known = endpoint or {}
    return known.get("observed") == "unknown" and known.get("unknown_counts") == "down"


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
        yield "outcome", ", ".join(f"{chosen['pop']} {_target(chosen)}" for chosen in steering["answer"])
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
