#!/usr/bin/env python3
"""Instructions and allocations of each step of an answer, held against those stored in instructions.json.

  bench/instructions.py               compare: fails on a rise, and on any allocation
  bench/instructions.py --renew       store what is counted now
  bench/instructions.py --where NAME  the functions and lines of one case that take the most

Counts the cases of dataplane/bench under valgrind's callgrind; `make instructions` builds them before. README.md says
more.
"""

import argparse
import collections
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BASELINE = HERE / "instructions.json"
CASES = HERE.parent / "dataplane" / "target" / "release" / "cases"
# Counts of the same code are the same to the instruction; what moves them without anybody's doing is the compiler
# deciding otherwise on what to inline, since the code beside has changed.
TOLERANCE = 0.03
# Another compiler makes other code: its counts are compared all the same, but coarsely.
OTHER_COMPILER_TOLERANCE = 0.15
# The C library chooses its memcpy, memcmp and log by what the processor can do. With these it chooses the plainest on
# every x86-64 processor, so that counts do not depend on the machine.
PLAIN_PROCESSOR = "glibc.cpu.hwcaps=" + ",".join(
    f"-{feature}"
    for feature in (
        "AVX512F",
        "AVX512VL",
        "AVX512BW",
        "AVX2",
        "AVX_Fast_Unaligned_Load",
        "ERMS",
        "FSRM",
        "FMA",
        "FMA4",
        "SSE4_2",
        "SSE4_1",
        "SSSE3",
    )
)
# The function that is counted, with all it calls, and the one that ends each case (dataplane/bench/src/main.rs).
CALLGRIND = (
    "valgrind",
    "--tool=callgrind",
    "--vgdb=no",
    "--toggle-collect=cases::measured_batch*",
    "--dump-before=cases::end_of_case*",
)


def run(command: list[str], **env: str) -> str:
    """What the command prints. Nothing of the environment bears on it: it would move the stack."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"instructions: {command[0]} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    return done.stdout


def parse_cases(printed: str) -> dict[str, tuple[int, int]]:
    """Case to how often its work was done and how many allocations that took."""
    rows = (line.split() for line in printed.splitlines())
    return {name: (int(times), int(allocations)) for name, times, allocations in rows}


def callgrind(folder: Path, *arguments: str) -> list[tuple[str, int, str]]:
    """Counts cases in ``folder``: name, how often its work was done, and the dump of each."""
    command = [*CALLGRIND, f"--callgrind-out-file={folder}/out", *arguments]
    cases = parse_cases(run(command, GLIBC_TUNABLES=PLAIN_PROCESSOR))
    # The dumps are numbered in the order of the cases.
    return [
        (name, times, (folder / f"out.{number}").read_text())
        for number, (name, (times, _)) in enumerate(cases.items(), 1)
    ]


def count() -> dict[str, float]:
    """Instructions per answer, or whatever the work of a case is, by case."""
    with tempfile.TemporaryDirectory() as folder:
        totals = {name: total_of(dump) / times for name, times, dump in callgrind(Path(folder), str(CASES))}
    if not all(totals.values()):
        sys.exit("instructions: nothing was counted: callgrind does not know measured_batch in the program")
    return {name: round(total, 1) for name, total in totals.items()}


def total_of(dump: str) -> int:
    """All the instructions of a dump."""
    return int(re.findall(r"^totals: (\d+)$", dump, re.MULTILINE)[0])


def compiler() -> str:
    return subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()


def allocating() -> list[str]:
    """The cases that allocate."""
    return [name for name, (_, allocations) in parse_cases(run([str(CASES)])).items() if allocations]


def judge(now: float | None, before: float | None, tolerance: float) -> tuple[str, str]:
    """The change of a count in words and what to make of it: same, risen, fallen, new or gone."""
    if now is None or before is None:
        return "", "new" if before is None else "gone"
    change = now / before - 1
    verdict = "risen" if change > tolerance else "fallen" if change < -tolerance else "same"
    return f"{change:+.1%}", verdict


def compare(counts: dict[str, float], baseline: dict[str, float], tolerance: float) -> bool:
    """Prints the table and what to do; returns whether the counts may stay as they are."""
    found = collections.defaultdict(list)
    print(f"{'case':24} {'baseline':>9} {'now':>9} {'change':>8}")
    for name in dict.fromkeys([*baseline, *counts]):
        before, now = baseline.get(name), counts.get(name)
        change, verdict = judge(now, before, tolerance)
        found[verdict].append(name)
        cells = [f"{value:9.1f}" if value else f"{'-':>9}" for value in (before, now)]
        print(f"{name:24} {' '.join(cells)} {change:>8} {verdict if verdict != 'same' else ''}".rstrip())
    if risen := found["risen"]:
        print(f"instructions: over {tolerance:.0%} more than stored: {', '.join(risen)}.")
        print("  bench/instructions.py --where NAME shows where. If it has to be, store the new counts by")
        print("  `make instructions-baseline` and say why in the commit.")
    if other := found["new"] + found["gone"]:
        print(
            f"instructions: new or gone, so store anew by `make instructions-baseline`: {', '.join(other)}."
        )
    if fallen := found["fallen"]:
        print(
            f"instructions: less than stored. Keep it by `make instructions-baseline`: {', '.join(fallen)}."
        )
    return not risen and not other


def where(name: str, most: int) -> None:
    """Prints which functions of the data plane take the most, and which lines. What they have inlined or called from
    other crates counts as theirs; the C library's functions stand for themselves."""
    flags = ("--dump-instr=yes", "--compress-pos=no", "--compress-strings=no")
    with tempfile.TemporaryDirectory() as folder:
        [(_, times, dump)] = callgrind(Path(folder), *flags, str(CASES), name)
    costs = costs_of(dump.splitlines())
    places = places_of([address for address, _ in costs if address])
    functions, lines = collections.Counter(), collections.Counter()
    for (address, symbol), cost in costs.items():
        function, file, line = places.get(address, (symbol, "C library", ""))
        functions[f"{file}: {function}"] += cost / times
        lines[f"{file}:{line}: {function}"] += cost / times
    print(f"{name}: {functions.total():.1f} instructions")
    for title, table in (("by function", functions), ("by line", lines)):
        print(f"\n{title}")
        for what, cost in table.most_common(most):
            print(f"{cost:8.1f}  {what}")


def costs_of(part: list[str]) -> dict[tuple[str, str], int]:
    """Instructions by address in the program (empty in libraries) and symbol, of what callgrind dumped."""
    costs: dict[tuple[str, str], int] = collections.Counter()
    thing = symbol = ""
    is_call = False
    for line in part:
        if line.startswith("ob="):
            thing = line[3:]
        elif line.startswith("fn="):
            symbol = line[3:]
        elif line.startswith("calls="):
            # The next line says what the call cost, which is counted where it was spent.
            is_call = True
        elif line.startswith("0x"):
            address, _, cost = line.split()
            if not is_call:
                costs[address if thing == str(CASES) else "", symbol] += int(cost)
            is_call = False
    return costs


def places_of(addresses: list[str]) -> dict[str, tuple[str, str, str]]:
    """Function, file and line of each address: of all that are inlined into one another there, the innermost of ours."""
    command = ["addr2line", "-a", "-i", "-f", "-C", "-e", str(CASES)]
    done = subprocess.run(command, input="\n".join(addresses), capture_output=True, text=True, check=True)
    places = {}
    ours = f"{HERE.parent}/dataplane/"
    for block in re.split(r"^0x0*", done.stdout, flags=re.MULTILINE)[1:]:
        address, *frames = block.splitlines()
        pairs = list(zip(frames[::2], frames[1::2], strict=True))
        function, place = next((pair for pair in pairs if pair[1].startswith(ours)), pairs[-1])
        file, _, line = place.removeprefix(ours).partition(" (")[0].rpartition(":")
        places[f"0x{address}"] = (function, file, line)
    return places


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--renew", action="store_true", help="store what is counted now")
    parser.add_argument("--where", metavar="NAME", help="show where the instructions of a case are")
    parser.add_argument(
        "--most", type=int, default=25, help="lines of each table of --where (default: %(default)s)"
    )
    options = parser.parse_args()
    if platform.machine() != "x86_64":
        sys.exit("instructions: only counted on x86-64, which the stored counts are of")
    if not CASES.exists():
        sys.exit(f"instructions: {CASES} is missing: build it by `make instructions`")
    if found := allocating():
        sys.exit(f"instructions: an answer must not allocate, but these do: {', '.join(found)}")
    print("No case allocates.")
    if not shutil.which("valgrind"):
        print("instructions: NOT COUNTED, since valgrind is missing (Debian: sudo apt-get install valgrind)")
        return
    if options.where:
        where(options.where, options.most)
        return
    counts, now = count(), compiler()
    if options.renew:
        BASELINE.write_text(json.dumps({"compiler": now, "instructions": counts}, indent=1) + "\n")
        print(f"{len(counts)} counts are stored in {BASELINE}")
        return
    stored = json.loads(BASELINE.read_text())
    tolerance = TOLERANCE
    if stored["compiler"] != now:
        tolerance = OTHER_COMPILER_TOLERANCE
        print(f"The stored counts are of {stored['compiler']}, this is {now}: compared coarsely.")
    if not compare(counts, stored["instructions"], tolerance):
        sys.exit(1)


if __name__ == "__main__":
    main()
