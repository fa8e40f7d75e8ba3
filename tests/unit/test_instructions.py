"""What bench/instructions.py makes of counts; counting itself is done by `make instructions`."""

from __future__ import annotations

import importlib.util
import json

import pytest

from tests.documents import ROOT, text_of

SPEC = importlib.util.spec_from_file_location("instructions", ROOT / "bench" / "instructions.py")
instructions = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(instructions)

DUMP = """\
ob=/target/cases
fl=/src/fold.rs
fn=set
0x10 7 20
0x14 8 5
cfn=memcpy
calls=3 0x99
0x18 8 1000
0x18 8 2
ob=/lib/libc.so.6
fn=memcpy
0x10 1 30
totals: 57
"""


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (102.9, 100.0, ("+2.9%", "same")),
        (103.1, 100.0, ("+3.1%", "risen")),
        (96.0, 100.0, ("-4.0%", "fallen")),
        (96.0, None, ("", "new")),
        (None, 96.0, ("", "gone")),
    ],
)
def test_a_count_is_judged_by_its_change(now, before, expected):
    assert instructions.judge(now, before, 0.03) == expected


@pytest.mark.parametrize(
    ("counts", "may_stay", "says"),
    [
        ({"a": 100.0, "b": 50.0}, True, ""),
        ({"a": 90.0, "b": 50.0}, True, "Keep it by `make instructions-baseline`: a."),
        ({"a": 110.0, "b": 50.0}, False, "over 3% more than stored: a."),
        ({"a": 100.0, "c": 50.0}, False, "store anew by `make instructions-baseline`: c, b."),
    ],
)
def test_a_rise_and_another_list_of_cases_fail_and_a_fall_asks_to_be_kept(counts, may_stay, says, capsys):
    assert instructions.compare(counts, {"a": 100.0, "b": 50.0}, 0.03) is may_stay
    printed = capsys.readouterr().out
    assert says in printed
    assert ("instructions: " in printed) is bool(says)


def test_the_cost_of_a_call_counts_where_it_was_spent(monkeypatch):
    monkeypatch.setattr(instructions, "CASES", "/target/cases")
    assert instructions.costs_of(DUMP.splitlines()) == {
        ("0x10", "set"): 20,
        ("0x14", "set"): 5,
        ("0x18", "set"): 2,
        ("", "memcpy"): 30,
    }
    assert instructions.total_of(DUMP) == 57


def test_what_is_stored_can_be_compared():
    stored = json.loads(text_of("bench/instructions.json"))
    assert stored["compiler"].startswith("rustc ")
    assert {name.partition("/")[0] for name in stored["instructions"]} == {
        "parse",
        "find",
        "steer",
        "count",
        "write",
        "answer",
    }
    assert all(count > 0 for count in stored["instructions"].values())


def test_the_functions_that_callgrind_is_told_of_are_in_the_program():
    source = text_of("dataplane/bench/src/main.rs")
    named = [flag.partition("=cases::")[2] for flag in instructions.CALLGRIND if "=cases::" in flag]
    assert len(named) == 2
    assert all(f"#[inline(never)]\nfn {name.removesuffix('*')}(" in source for name in named)
