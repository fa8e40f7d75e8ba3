"""The CPUs that ``gslb serve --cpus`` keeps UDP threads on."""

from __future__ import annotations

import os
import re
import threading

import typer

from gslb.config.wording import quote

HINT = "--cpus"
MAXIMUM_CPUS = 1024
"""CPUs that the system's calls for this can tell apart, from 0."""

_PART = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", re.ASCII)


def parse_cpus(text: str | None) -> tuple[int, ...]:
    """The CPUs of a list such as ``2,3,6-8``, in its order; none of ``None``. Raises typer.BadParameter."""
    if text is None:
        return ()
    cpus: list[int] = []
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last or last >= MAXIMUM_CPUS:
            message = (
                f"{quote(part)} is no CPU or range of them from 0 to {MAXIMUM_CPUS - 1}, such as 2,3 or 2-5"
            )
            raise typer.BadParameter(message, param_hint=HINT)
        cpus += range(first, last + 1)
    for cpu in cpus:
        if cpus.count(cpu) > 1:
            message = f"CPU {cpu} is named twice: name each once, as there is one worker on each"
            raise typer.BadParameter(message, param_hint=HINT)
    return tuple(cpus)


def choose_workers(workers: int | None, cpus: tuple[int, ...]) -> int:
    """UDP threads of each address: one for each of ``cpus``, or for each CPU the process may run on.

    Raises typer.BadParameter when there are more ``workers`` than ``cpus``, or one of these cannot be run on.
    """
    if not cpus:
        return workers or len(os.sched_getaffinity(0))
    if workers is not None and workers > len(cpus):
        message = (
            f"{len(cpus)} CPUs for {workers} workers: name {workers}, or leave --workers out for one on each"
        )
        raise typer.BadParameter(message, param_hint=HINT)
    if refused := _refused(cpus):
        message = (
            f"nothing can run on CPU {refused[0]}: lscpu lists those that are online, "
            "and a container or AllowedCPUs= may allow fewer"
        )
        raise typer.BadParameter(message, param_hint=HINT)
    return workers or len(cpus)


def _refused(cpus: tuple[int, ...]) -> list[int]:
    """Those that a thread cannot be kept on, tried by one that does nothing else."""
    refused: list[int] = []

    def attempt() -> None:
        for cpu in cpus:
            try:
                os.sched_setaffinity(0, {cpu})
            except OSError:
                refused.append(cpu)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    return refused
