"""Holds the data plane's decisions against the reference: ``python -m tests.scenarios.steering --cases N``.

Each difference is made as small as it goes and printed with the geography, the document and the call.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from gslb._dataplane import Steering
from tests.scenarios.steering_cases import Maker, geography, questions
from tests.scenarios.steering_geography import Geography, override_rows, write_databases
from tests.scenarios.steering_query import TooManyError
from tests.scenarios.steering_ranks import TooCloseError
from tests.scenarios.steering_reference import Reference
from tests.scenarios.steering_shrink import shrink

if TYPE_CHECKING:
    from tests.scenarios.steering_reference import Document

QUESTIONS = 240
"""About so many of each document."""
DOCUMENTS = 12
"""So many with each geography."""
MOST_DIFFERENCES = 20
"""A run ends after so many."""

Question = tuple[int, int, str, bytes, bytes]


@dataclass
class Tally:
    """What a run saw."""

    seen: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Sum up."""
        self.seen += other.seen
        self.differences += other.differences


def difference(
    compiled: Steering, reference: Reference, question: Question, seen: Counter[str] | None = None
) -> str:
    """What is wrong with the data plane's decision; empty where nothing is."""
    seen = Counter() if seen is None else seen
    try:
        expected = reference.decide(*question)
    except (TooManyError, TooCloseError) as error:
        seen[type(error).__name__] += 1
        return ""
    seen["cases"] += 1
    seen[expected.outcome] += 1
    seen["drawn" if len(expected.answers) > 1 else "certain"] += 1
    needed, allowed = expected.scopes
    for seed in range(3 if len(expected.answers) > 1 else 1):
        outcome, answer, ttl, scope = compiled.decide(*question, seed)
        ttl_is_good = ttl == expected.ttl or outcome == "not_offered"
        if not expected.allows(outcome, tuple(answer)) or not ttl_is_good:
            return f"answered {(outcome, answer, ttl)}, expected {describe(expected)}"
        if not needed <= scope <= allowed:
            return f"scope {scope}, expected {needed} to {allowed}; {describe(expected)}"
        seen["scope longer than needed"] += scope > needed
    return ""


def describe(expected: object) -> str:
    """An expectation in a line, however many answers are allowed."""
    text = str(expected)
    return text if len(text) < 600 else text[:600] + "…"


def compare(documents: int, asked: int, seed: str) -> Tally:
    """Compare on ``documents`` made-up documents."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as directory:
        for number in range(documents):
            random = Random(f"{seed} {number}")
            if number % DOCUMENTS == 0:
                place = geography(Random(f"{seed} geography {number}"))
                paths = write_databases(place, Path(directory) / str(number))
            document = Maker(random).document(paths, override_rows(place))
            compiled = Steering.compile(json.dumps(document))
            reference = Reference(document, place)
            for question in questions(random, document, asked):
                if difference(compiled, reference, question, tally.seen):
                    tally.differences.append(report(document, place, question, Path(directory)))
                    break
            if len(tally.differences) >= MOST_DIFFERENCES:
                break
    return tally


def report(document: Document, place: Geography, question: Question, directory: Path) -> str:
    """One difference, made small, as text that can be run again."""

    def problem(smaller: Document, around: Geography, asked: Question) -> str:
        paths = write_databases(around, directory / "shrunk")
        complete = smaller | {"databases": paths, "overrides": override_rows(around)}
        try:
            compiled = Steering.compile(json.dumps(complete))
        except ValueError:
            return ""
        return difference(compiled, Reference(complete, around), asked)

    document, place, question = shrink(document, place, question, lambda *case: bool(problem(*case)))
    name, rtype, client, verdicts, loads = question
    shown = document | {"databases": [f"{number}.mmdb" for number in range(len(place.databases))]}
    lines = [problem(document, place, question)]
    lines += [f"database {number}: {rows}" for number, rows in enumerate(place.databases)]
    lines += [f"overrides: {place.overrides}"] if place.overrides else []
    lines += [f"document = {json.dumps(shown)}"]
    lines += [f"Steering.compile(document).decide({name}, {rtype}, {client!r}, {verdicts!r}, {loads!r})"]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run the long comparison; 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000, help="at least so many decisions")
    parser.add_argument("--seed", default="1", help="the same seed makes the same cases")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    options = parser.parse_args(arguments)
    total, batch, begun = Tally(), 0, time.monotonic()
    with ProcessPoolExecutor(options.workers) as pool:
        while total.seen["cases"] < options.cases and len(total.differences) < MOST_DIFFERENCES:
            left = options.cases - total.seen["cases"]
            batches = range(batch, batch + max(options.workers, min(8, left // (DOCUMENTS * QUESTIONS))))
            batch = batches.stop
            seeds = [f"{options.seed}/{number}" for number in batches]
            for tally in pool.map(compare, [DOCUMENTS] * len(seeds), [QUESTIONS] * len(seeds), seeds):
                total.add(tally)
                sys.stdout.write("".join(f"{found}\n\n" for found in tally.differences))
                sys.stdout.flush()
            sys.stderr.write(f"{total.seen['cases']:,} cases, {len(total.differences)} differences\n")
    counts = ", ".join(f"{name} {count:,}" for name, count in sorted(total.seen.items()))
    sys.stdout.write(
        f"{total.seen['cases']:,} cases in {time.monotonic() - begun:.0f} s, seed {options.seed}: "
        f"{len(total.differences)} differences ({counts})\n"
    )
    return 1 if total.differences else 0


if __name__ == "__main__":
    sys.exit(main())
