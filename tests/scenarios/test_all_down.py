"""The table of what is answered when too little serves: ``python -m tests.scenarios.test_all_down --write``.

Every combination of settings and states is put to the data plane and to the reference;
docs/reference/all-down.md must be what comes out.
"""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import dataclass

import pytest

from gslb._dataplane import Steering
from gslb.model.health import Observed
from gslb.model.site import UnknownCounts
from gslb.steering.verdict import merge
from tests.documents import ROOT
from tests.scenarios.steering_documents import document, endpoint, geo, name, pool, rule
from tests.scenarios.steering_geography import Geography
from tests.scenarios.steering_query import AAAA, LAST_GOOD, A
from tests.scenarios.steering_reference import Reference

PAGE = "docs/reference/all-down.md"
ALL_DOWN = ("serve_all", "last_good", "fallback", "nodata", "servfail")
NEEDS = {"1": {"count": 1}, "2": {"count": 2}, "50%": {"fraction": 0.5}}
MARKED = "bc"
"""The endpoints that served last, where there are marks."""
FENCED = "cd"
"""The endpoints that a fence leaves the client."""
STATES = {
    "all up": "uuuu",
    "a, b up; c, d down": "uudd",
    "a up; b, c, d down": "uddd",
    "c up; a, b, d down": "ddud",
    "a up; b, c drained; d down": "urrd",
    "all down": "dddd",
    "a, b, c down; d drained": "dddr",
    "a, b down; c, d drained": "ddrr",
    "all drained": "rrrr",
    "none observed yet, `unknown_counts: up`": "????",
    "none observed yet, `unknown_counts: down`": "!!!!",
    "a not observed yet, `unknown_counts: up`; b, c, d down": "?ddd",
    "a not observed yet, `unknown_counts: down`; b, c, d down": "!ddd",
    "a not observed yet and drained; b, c, d down": "xddd",
}
OBSERVATIONS = {
    "u": (Observed.UP, False, UnknownCounts.UP),
    "d": (Observed.DOWN, False, UnknownCounts.UP),
    "r": (Observed.UP, True, UnknownCounts.UP),
    "?": (Observed.UNKNOWN, False, UnknownCounts.UP),
    "!": (Observed.UNKNOWN, False, UnknownCounts.DOWN),
    "x": (Observed.UNKNOWN, True, UnknownCounts.UP),
}
"""What is observed, whether the POP is drained, and what the pool says that unknown counts as."""
ANSWERS = {"last_resort": "zone", "nodata": "NODATA", "servfail": "SERVFAIL"}

HEAD = """# What is answered when too little serves

Every combination of a pool's `when_all_down` and `min_healthy`, of what serves, of `unknown_counts`, of a
fence and of the last-good marks. `make scenarios` asks the data plane all of it, and this table is what it
answered; `python -m tests.scenarios.test_all_down --write` writes it anew.

The pool has four endpoints a, b, c and d, each in a POP of its own. Its policy leaves them equals, or
fences the client off from a and b. The name's TTL is `{max: 60, min: 10}`. The last table is of another pool.

- *need* is the pool's `min_healthy`. While as many endpoints serve, the pool is available: the policy runs
  over those that serve. If the policy leaves this client none of them, the answer is that of
  `when_all_down`, but `serve_all` and `last_good` answer *zone*, since what they would hand out is none of
  this client's business.
- While fewer serve, `when_all_down` is in effect, and so is the least TTL. `serve_all` and `last_good` run
  the policy over what they hand out, and answer *zone* if it leaves this client nothing of that.
- *unmarked*: no endpoint has the last-good mark. *marked*: b and c have it, since they were the ones
  serving when the pool was last available.
- A letter is an endpoint that is answered. *zone*: the records that the zone file has at the name, its last
  resort. *NODATA*: no records. *SERVFAIL*: the resolver shall ask another server.

Rows that differ in *need* only and have the same answers are one.
"""

SAME_POP_STATES = {
    "all up": "uuuu",
    "a's IPv6 down": "uudu",
    "a's IPv4 down, b's IPv6 down": "duud",
    "a's IPv4 drained, b's IPv6 down": "ruud",
    "IPv4 of both down": "dduu",
    "IPv4 of both drained": "rruu",
    "a down, b's IPv6 down": "dudd",
    "all down": "dddd",
    "a's IPv4 drained, b's IPv6 drained; the rest down": "rddr",
    "all drained": "rrrr",
}
"""What the IPv4 endpoints of a and b are, and what the IPv6 endpoints are."""
SAME_POP_MARKED = (0, 3)
"""Those of these four that served last, where there are marks."""
SAME_POP_HEAD = """## The step same_pop

The pool has the POPs a and b, each with an IPv4 and an IPv6 endpoint, and *need* is 1. The policy is
`[same_pop, failover: [a, b], take: 1]`. A cell has the answer to A and that to AAAA. *marked*: a's IPv4 and
b's IPv6 served last.

A and AAAA come from the same POP while one counts in both families. Where none does, the step gives way,
and each family is answered from where it counts.
"""


@dataclass(frozen=True)
class Row:
    """One combination, and what is answered: a word for each column, and the TTL."""

    fence: bool
    state: str
    need: str
    available: bool
    answers: tuple[str, ...]
    ttl: int


COLUMNS = (
    "`serve_all`",
    "`last_good`, unmarked",
    "`last_good`, marked",
    "`fallback`",
    "`nodata`",
    "`servfail`",
)


def verdicts(state: str, marked: bool) -> bytes:
    """The octets that the control plane publishes for a state."""
    octets = [merge(*OBSERVATIONS[letter]).value for letter in STATES[state]]
    marks = [LAST_GOOD if marked and letter in MARKED else 0 for letter in "abcd"]
    return bytes(octet | mark for octet, mark in zip(octets, marks, strict=True))


def site(need: str) -> dict:
    """A document with two names, open and fenced, for each ``when_all_down``."""
    endpoints = [endpoint(pop, f"192.0.2.{pop}") for pop in range(4)]
    pools = [
        pool(*endpoints, when_all_down=all_down, min_healthy={"ipv4": NEEDS[need]}) for all_down in ALL_DOWN
    ]
    fence = geo(rule("default", "", *("abcd".index(letter) for letter in FENCED)), mode="fence")
    equals = {"step": "take", "count": 32}
    names = [name(root, policy) for root in range(len(ALL_DOWN)) for policy in (0, 1)]
    return document(pools, [[equals], [fence, equals]], names)


def word(outcome: str, answer: tuple[int, ...]) -> str:
    """A cell."""
    return " ".join("abcd"[number % 4] for number in answer) if outcome == "answer" else ANSWERS[outcome]


class Engines:
    """The data plane and the reference on one document, which must agree."""

    def __init__(self, need: str) -> None:
        made = site(need)
        self.compiled = Steering.compile(json.dumps(made))
        self.reference = Reference(made, Geography())

    def decide(self, all_down: str, fence: bool, octets: bytes) -> tuple[str, int]:
        """The cell and the TTL."""
        root = ALL_DOWN.index(all_down)
        verdicts = bytes(4 * root) + octets + bytes(4 * (len(ALL_DOWN) - root - 1))
        question = (2 * root + fence, A, "192.0.2.1", verdicts)
        expected = self.reference.decide(*question)
        [answer] = expected.answers
        outcome, numbers, ttl, scope = self.compiled.decide(*question)
        assert (outcome, tuple(numbers), ttl) == (expected.outcome, answer, expected.ttl), (
            all_down,
            fence,
            octets,
        )
        assert scope == 0
        return word(outcome, answer), ttl


class SamePop:
    """Both on pools whose policy has ``same_pop``."""

    def __init__(self) -> None:
        endpoints = [endpoint(pop, f"192.0.2.{pop}") for pop in (0, 1)]
        endpoints += [endpoint(pop, f"2001:db8::{pop}") for pop in (0, 1)]
        tiers = {"step": "failover", "mode": "prefer", "tiers": [[0], [1]]}
        steps = [{"step": "same_pop"}, tiers, {"step": "take", "count": 1}]
        pools = [pool(*endpoints, when_all_down=all_down) for all_down in ALL_DOWN]
        made = document(pools, [steps], [name(root, 0) for root in range(len(ALL_DOWN))])
        self.compiled = Steering.compile(json.dumps(made))
        self.reference = Reference(made, Geography())

    def decide(self, all_down: str, state: str, marked: bool) -> tuple[str, str]:
        """The answers to A and to AAAA."""
        octets = [merge(*OBSERVATIONS[letter]).value for letter in SAME_POP_STATES[state]]
        for number in SAME_POP_MARKED if marked else ():
            octets[number] |= LAST_GOOD
        root = ALL_DOWN.index(all_down)
        verdicts = bytes(4 * root) + bytes(octets) + bytes(4 * (len(ALL_DOWN) - root - 1))
        return self._ask(root, A, verdicts), self._ask(root, AAAA, verdicts)

    def _ask(self, root: int, kind: int, verdicts: bytes) -> str:
        expected = self.reference.decide(root, kind, "192.0.2.1", verdicts)
        [answer] = expected.answers
        outcome, numbers, ttl, _ = self.compiled.decide(root, kind, "192.0.2.1", verdicts)
        assert (outcome, tuple(numbers), ttl) == (expected.outcome, answer, expected.ttl)
        return "ab"[numbers[0] % 2] if numbers else ANSWERS[outcome]


def same_pop_rows() -> dict[str, list[tuple[str, str]]]:
    """By state the answers to A and AAAA, in the order of the columns."""
    both = SamePop()
    columns = [("serve_all", False), ("last_good", False), ("last_good", True)]
    columns += [(all_down, False) for all_down in ALL_DOWN[2:]]
    return {
        state: [both.decide(all_down, state, marked) for all_down, marked in columns]
        for state in SAME_POP_STATES
    }


def rows() -> list[Row]:
    """Every combination."""
    found = []
    engines = {need: Engines(need) for need in NEEDS}
    for fence, state, need in itertools.product((False, True), STATES, NEEDS):
        cells = {
            (all_down, marked): engines[need].decide(all_down, fence, verdicts(state, marked))
            for all_down in ALL_DOWN
            for marked in (False, True)
        }
        [ttl] = {ttl for _, ttl in cells.values()}
        assert all(cells[one, False] == cells[one, True] for one in ALL_DOWN if one != "last_good")
        columns = [("serve_all", False), ("last_good", False), ("last_good", True)]
        columns += [(all_down, False) for all_down in ALL_DOWN[2:]]
        octets = verdicts(state, False)
        available = engines[need].reference.available(0, A, octets + bytes(16))
        answers = tuple(cells[column][0] for column in columns)
        found.append(Row(fence, state, need, available, answers, ttl))
    return found


def page() -> str:
    """The document as it should be."""
    lines = [HEAD]
    for fence, title in ((False, "No fence"), (True, "A fence leaves the client c and d")):
        headings = ("endpoints", "need", "available", *COLUMNS, "TTL")
        lines += [f"## {title}", "", f"| {' | '.join(headings)} |", "|" + "---|" * len(headings)]
        alike = itertools.groupby(
            (row for row in rows() if row.fence == fence),
            key=lambda row: (row.state, row.available, row.answers, row.ttl),
        )
        for (state, available, answers, ttl), group in alike:
            need = ", ".join(row.need for row in group)
            cells = (state, need, "yes" if available else "no", *answers, str(ttl))
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    headings = ("endpoints", *COLUMNS)
    lines += [SAME_POP_HEAD, f"| {' | '.join(headings)} |", "|" + "---|" * len(headings)]
    for state, answers in same_pop_rows().items():
        cells = (state, *(f"{ipv4}, {ipv6}" for ipv4, ipv6 in answers))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def test_the_table_is_what_the_data_plane_answers():
    written = (ROOT / PAGE).read_text(encoding="utf-8")
    assert written == page(), "write it anew with: python -m tests.scenarios.test_all_down --write"


def test_every_combination_is_there():
    assert len(rows()) == 2 * len(STATES) * len(NEEDS)
    assert {row.available for row in rows()} == {True, False}
    every = {cell for row in rows() for cell in row.answers}
    assert set(ANSWERS.values()) | {"a b c d", "b c", "a", "c"} <= every


def test_same_pop_answers_each_family_that_has_anything_and_from_one_pop_where_it_can():
    for state, answers in same_pop_rows().items():
        ups = [SAME_POP_STATES[state][:2], SAME_POP_STATES[state][2:]]
        both = {pop for pop, of_pop in zip("ab", zip(*ups, strict=True), strict=True) if set(of_pop) == {"u"}}
        for pair in answers:
            assert all(answer in ("a", "b") for answer, up in zip(pair, ups, strict=True) if "u" in up)
            assert not both or (set(pair) <= both and len(set(pair)) == 1)


@pytest.mark.parametrize("need", NEEDS)
def test_no_drained_endpoint_is_handed_out_unless_all_are(need):
    for row in rows():
        drained = {letter for letter, state in zip("abcd", STATES[row.state], strict=True) if state in "rx"}
        if row.need == need and drained != set("abcd"):
            assert not any(drained & set(cell) for cell in row.answers if cell not in ANSWERS.values())


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        (ROOT / PAGE).write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
