"""Measured curves as tables, and in a page."""

from __future__ import annotations

import pytest
from scenarios.report import curve_table, with_tables

CURVE = {
    "title": "names",
    "null_cpu_us": 1.5,
    "date": "2026-01-02",
    "points": [
        {"size": 1000, "first_answer_s": 0.4, "pss_mb": 60.4, "peak_mb": 71.2, "cpu_us": 1.6},
        {"size": 1_000_000, "first_answer_s": 0.75, "pss_mb": 1110.0, "peak_mb": 1250.0, "cpu_us": 2.25},
    ],
}
TABLE = """| names | first answer s | memory MB | peak of the start MB | CPU µs/answer | over null |
|---|---|---|---|---|---|
| 1,000 | 0.40 | 60 | 71 | 1.60 | 0.10 |
| 1,000,000 | 0.75 | 1,110 | 1,250 | 2.25 | 0.75 |

Measured 2026-01-02; the null server took 1.50 µs."""
PAGE = "# Scaling\n\n<!-- curve: names -->\nold\n\n<!-- end -->\n\n<!-- curve: zones -->\n<!-- end -->\n"


def test_a_table_has_the_figures_that_were_measured():
    assert curve_table(CURVE) == TABLE


def test_a_page_gets_the_tables_between_its_marks_and_nothing_else():
    page = with_tables(PAGE, {"names": CURVE})
    assert page == PAGE.replace("old\n", TABLE)
    assert with_tables(page, {"names": CURVE}) == page
    assert with_tables(PAGE, {}) == PAGE


def test_a_curve_without_a_place_in_the_page_is_refused():
    with pytest.raises(ValueError, match="pops"):
        with_tables(PAGE, {"pops": CURVE})
