"""The measured curves as tables in Markdown, and a page that has them between its marks. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

COLUMNS = (
    ("first_answer_s", "first answer s", 2),
    ("start_cpu_s", "CPU of the start s", 2),
    ("reload_s", "reload s", 2),
    ("list_s", "`GET /v1/zones` s", 3),
    ("pss_mb", "memory MB", 0),
    ("peak_mb", "peak of the start MB", 0),
    ("cpu_us", "CPU µs/answer", 2),
)
"""(key of a figure, heading, digits)"""


def curve_table(curve: Mapping[str, Any]) -> str:
    """A row for each point; the last column is CPU time over what the null server takes."""
    columns = [column for column in COLUMNS if column[0] in curve["points"][0]]
    lines = [
        f"| {' | '.join([curve['title'], *(heading for _, heading, _ in columns), 'over null'])} |",
        "|" + "---|" * (len(columns) + 2),
    ]
    for point in curve["points"]:
        cells = [f"{point['size']:,}", *(f"{point[key]:,.{digits}f}" for key, _, digits in columns)]
        lines.append(f"| {' | '.join([*cells, format(point['cpu_us'] - curve['null_cpu_us'], '.2f')])} |")
    lines.append(f"\nMeasured {curve['date']}; the null server took {curve['null_cpu_us']:.2f} µs.")
    return "\n".join(lines)


def with_tables(page: str, curves: Mapping[str, Any]) -> str:
    """The page with what stands between ``<!-- curve: NAME -->`` and ``<!-- end -->`` replaced.

    Raises ValueError for a curve that has no mark. Marks of curves that were not measured stay as they are.
    """
    for name, curve in curves.items():
        mark = f"<!-- curve: {name} -->"
        pattern = re.compile(rf"{re.escape(mark)}\n.*?<!-- end -->", re.DOTALL)
        if not pattern.search(page):
            raise ValueError(f"the page has no {mark} with an end")
        text = f"{mark}\n{curve_table(curve)}\n<!-- end -->"
        page = pattern.sub(lambda _, text=text: text, page)
    return page
