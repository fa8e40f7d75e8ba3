"""Plots of the measured curves: a file for each, with CPU time, memory and times side by side.

matplotlib is for this alone: the extra ``bench`` of the package has it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot  # noqa: E402 - the backend comes first
from matplotlib.ticker import LogLocator  # noqa: E402

LINE = "#1f5f8b"
OTHERS = ("#c0562f", "#4c8c4a")
WIDTH, HEIGHT = 9.0, 2.8


def plot_curves(results: dict[str, Any], directory: Path) -> None:
    """A file ``NAME.svg`` for each curve."""
    # Text stays text and ids stay the same, so that files are small and differ only where figures do.
    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "gslb", "font.size": 9})
    for name, curve in results.items():
        figure, axes = pyplot.subplots(1, 3, figsize=(WIDTH, HEIGHT), layout="constrained")
        sizes = [point["size"] for point in curve["points"]]
        _cpu(axes[0], curve, sizes)
        _lines(axes[1], curve, sizes, "memory, MB", {"pss_mb": "serving", "peak_mb": "peak of the start"})
        _lines(
            axes[2],
            curve,
            sizes,
            "seconds",
            {"first_answer_s": "to the first answer", "reload_s": "reload", "list_s": "GET /v1/zones"},
        )
        for axis in axes:
            axis.set_xscale("log")
            axis.minorticks_off()
            axis.set_xlabel(curve["title"])
            axis.xaxis.set_major_formatter(_short)
            axis.minorticks_off()
            axis.grid(visible=True, linewidth=0.3)
            axis.spines[["top", "right"]].set_visible(False)
        figure.savefig(directory / f"{name}.svg", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)


def _cpu(axis: Any, curve: dict[str, Any], sizes: list[int]) -> None:
    axis.plot(sizes, [point["cpu_us"] for point in curve["points"]], "o-", color=LINE, label="gslb")
    axis.axhline(curve["null_cpu_us"], color="grey", linestyle="--", linewidth=0.8, label="null server")
    axis.set_ylabel("CPU µs/answer")
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False)


def _lines(axis: Any, curve: dict[str, Any], sizes: list[int], label: str, keys: dict[str, str]) -> None:
    shown = {key: text for key, text in keys.items() if key in curve["points"][0]}
    for color, (key, text) in zip((LINE, *OTHERS), shown.items(), strict=False):
        axis.plot(sizes, [point[key] for point in curve["points"]], "o-", color=color, label=text)
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(_short)
    axis.set_ylabel(label)
    if len(shown) > 1:
        axis.legend(frameon=False)


def _short(value: float, _position: int | None = None) -> str:
    """1000 as 1k, 0.1 as it is."""
    for unit, word in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{word}"
    return f"{value:g}"
