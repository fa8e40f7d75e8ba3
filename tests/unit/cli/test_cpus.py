"""``gslb serve --cpus``: which CPUs, how many workers, and that threads stay there."""

import os
from pathlib import Path

import pytest
import typer

from gslb._dataplane import DataPlane
from gslb.cli.cpus import MAXIMUM_CPUS, choose_workers, parse_cpus

HERE = sorted(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        (None, ()),
        ("2", (2,)),
        ("3,1", (3, 1)),
        ("0, 4-7", (0, 4, 5, 6, 7)),
        ("5-5", (5,)),
        ("1023", (1023,)),
    ],
)
def test_lists_and_ranges(text: str | None, cpus: tuple[int, ...]) -> None:
    assert parse_cpus(text) == cpus


@pytest.mark.parametrize(
    "text", ["", "a", "1,", "-1", "1-", "3-2", "1024", "0-1024", "99999999999", "1-2-3", "\u0661"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"is no CPU or range of them from 0 to 1023, such as 2,3"):
        parse_cpus(text)


def test_each_is_named_once() -> None:
    with pytest.raises(typer.BadParameter, match="CPU 3 is named twice"):
        parse_cpus("1-4,3")


def test_workers_follow_from_the_cpus() -> None:
    first = (HERE[0],)
    assert choose_workers(None, ()) == len(HERE)
    assert choose_workers(3, ()) == 3
    assert choose_workers(None, first) == 1
    assert choose_workers(1, tuple(HERE)) == 1
    with pytest.raises(typer.BadParameter, match="1 CPUs for 2 workers: name 2, or leave --workers out"):
        choose_workers(2, first)
    # Whoever asked stays where it may run.
    assert sorted(os.sched_getaffinity(0)) == HERE


def test_a_cpu_that_is_not_there_is_refused() -> None:
    absent = MAXIMUM_CPUS - 1
    with pytest.raises(typer.BadParameter, match=f"nothing can run on CPU {absent}: lscpu lists those"):
        choose_workers(None, (HERE[0], absent))


def cpus_of_threads() -> dict[str, set[int]]:
    """Where each thread of the data plane may run, by its name."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith("gslb-"):
            found[name] = os.sched_getaffinity(int(task.name))
    return found


def test_workers_stay_on_their_cpus_and_streams_do_not() -> None:
    cpus = [HERE[-1], HERE[0]][: len(HERE)]
    dataplane = DataPlane()
    dataplane.listen(["127.0.0.1:0", "[::1]:0"], len(cpus))
    dataplane.start(100, cpus)
    try:
        threads = cpus_of_threads()
    finally:
        dataplane.stop()
    for number in range(2 * len(cpus)):
        assert threads.pop(f"gslb-udp-{number}") == {cpus[number % len(cpus)]}
    assert threads == {"gslb-tcp": set(HERE)}
    assert sorted(os.sched_getaffinity(0)) == HERE


@pytest.mark.parametrize(
    ("cpus", "message"),
    [
        ([MAXIMUM_CPUS - 1, HERE[0]], "gslb-udp-0 cannot run on CPU 1023"),
        ([HERE[0]], "2 workers need as many CPUs, not 1"),
    ],
)
def test_the_data_plane_refuses_to_start_elsewhere(cpus: list[int], message: str) -> None:
    dataplane = DataPlane()
    dataplane.listen(["127.0.0.1:0"], 2)
    with pytest.raises(OSError, match=message):
        dataplane.start(cpus=cpus)
    assert cpus_of_threads() == {}
