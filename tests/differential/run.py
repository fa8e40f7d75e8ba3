"""Rounds of zones and queries, and the report of what differed."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.differential.compare import PARTS, STRICT, Answer, Difference, differences, majority, parse
from tests.differential.known import Seen, name_of
from tests.differential.queries import Asker, Case
from tests.differential.servers import Gslb, daemons
from tests.differential.zones import ZoneData, make_zones

if TYPE_CHECKING:
    from collections.abc import Iterable

SOCKET_SAMPLE = 20
"""Every how many queries gslb is asked through its sockets too."""
SNIPPET_LINES = 30


@dataclass
class Example:
    """The first case of a class of differences, enough to repeat it."""

    seed: str
    case: Case
    zones: list[ZoneData]
    answers: dict[str, Answer]

    def __str__(self) -> str:
        lines = [f"seed {self.seed}", f"query {self.case}"]
        lines += [f"zone {zone.origin}" for zone in self.zones]
        lines += _snippet(self.case, self.zones, self.answers.values())
        for server, answer in self.answers.items():
            lines.append(f"--- {server}")
            lines += answer.lines[:SNIPPET_LINES]
        return "\n".join(lines)


def _snippet(case: Case, zones: list[ZoneData], answers: Iterable[Answer]) -> list[str]:
    """The records that bear on the query: at and above each name that was asked or answered."""
    names = {case.name.to_text().lower()} | {owner.lower() for answer in answers for owner in answer.owners}
    near = set()
    for name in names:
        near |= {name} | {name[at + 1 :] or "." for at in range(len(name)) if name[at] == "."}
    lines = []
    for zone in zones:
        for record in zone.records:
            owner = record.owner.to_text().lower()
            parent = record.owner.parent().to_text().lower() if len(record.owner) > 1 else owner
            if owner in near or (parent in near and owner.startswith("*")):
                lines.append(f"    {str(record)[:160]}")
    return lines[:SNIPPET_LINES]


@dataclass
class Report:
    """Counts over all rounds."""

    queries: int = 0
    agreed: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    peers_split: Counter[str] = field(default_factory=Counter)
    sections_agree: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    same_as: dict[str, Counter[str]] = field(default_factory=dict)
    examples: dict[str, Example] = field(default_factory=dict)
    sockets_differ: list[str] = field(default_factory=list)
    peers_apart: Counter[str] = field(default_factory=Counter)

    def add(self, seed: str, case: Case, zones: list[ZoneData], answers: dict[str, Answer]) -> None:
        """Compare one query's answers."""
        self.queries += 1
        ours = answers["gslb"]
        peers = {server: answer for server, answer in answers.items() if server != "gslb"}
        found = differences(case, ours, peers)
        for part in PARTS:
            values = {peer: answer.parts.get(part) for peer, answer in peers.items()}
            self.compared[part] += 1
            if len(set(values.values())) > 1:
                self.peers_split[part] += 1
                _, common = majority(values)
                apart = ",".join(sorted(peer for peer, value in values.items() if value != common))
                self.peers_apart[f"{part}: {apart}"] += 1
        unnamed = set()
        for difference in found:
            name = name_of(Seen(case, difference, ours, peers, zones))
            if name is not None:
                self.known[name] += 1
                continue
            unnamed.add(difference.part)
            self._unknown(difference, Example(seed, case, zones, answers))
        for part in PARTS:
            self.agreed[part] += part not in unnamed
        self.sections_agree += not (unnamed - set(STRICT))

    def _unknown(self, difference: Difference, example: Example) -> None:
        self.unknown[difference.signature] += 1
        same = ",".join(difference.same_as) or ("none, all agree" if difference.peers_agree else "none")
        self.same_as.setdefault(difference.signature, Counter())[same] += 1
        kept = self.examples.get(difference.signature)
        if kept is None or len(example.case.wire) < len(kept.case.wire):
            self.examples[difference.signature] = example

    def strict_failures(self) -> list[str]:
        """Signatures of unnamed differences in parts that must agree always."""
        return [
            signature
            for signature, _ in self.unknown.most_common()
            if signature.startswith((*(f"{part}:" for part in STRICT), "question"))
        ]

    def text(self, examples: int = 10) -> str:
        """For people."""
        lines = [f"{self.queries} queries"]
        for part in PARTS:
            share = self.agreed[part] / max(1, self.compared[part])
            split = self.peers_split[part]
            lines.append(f"  {part:10} agrees {share:8.3%}; the peers among themselves differ in {split}")
        lines.append(f"  all sections agree {self.sections_agree / max(1, self.queries):.3%}")
        lines.append("peers apart from the others:")
        lines += [f"  {count:6} {text}" for text, count in self.peers_apart.most_common(20)]
        lines.append("named differences:")
        lines += [f"  {count:6} {name}" for name, count in self.known.most_common()]
        lines.append("unnamed differences:")
        for signature, count in self.unknown.most_common():
            same = ", ".join(f"{peer}: {times}" for peer, times in self.same_as[signature].most_common())
            lines.append(f"  {count:6} {signature}   (as {same})")
        lines += [f"socket differs from engine: {text}" for text in self.sockets_differ[:5]]
        for signature, _ in self.unknown.most_common(examples):
            lines.append(f"\n=== {signature}\n{self.examples[signature]}")
        return "\n".join(lines) + "\n"


def run_round(seed: str, servers: list[str], queries: int, report: Report, *, minimal: bool = True) -> None:
    """One set of zones and its queries; the seed decides both. ``minimal`` is as in ``daemons``."""
    random = Random(seed)
    zones = make_zones(random)
    asker = Asker(random, zones)
    cases = [asker.case() for _ in range(queries)]
    with tempfile.TemporaryDirectory(prefix="differential-") as text:
        directory = Path(text)
        with (
            Gslb(directory / "gslb", zones) as gslb,
            daemons(servers, directory, zones, minimal=minimal) as running,
        ):
            answers = {"gslb": gslb.ask(cases)}
            for server, daemon in running.items():
                answers[server] = daemon.client.ask(cases)
            sample = range(0, len(cases), SOCKET_SAMPLE)
            through = gslb.client.ask([cases[index] for index in sample])
    for index, answer in zip(sample, through, strict=True):
        if answer != answers["gslb"][index]:
            report.sockets_differ.append(f"seed {seed} query {cases[index]}")
    for index, case in enumerate(cases):
        parsed = {server: parse(wires[index]) for server, wires in answers.items()}
        report.add(seed, case, zones, parsed)
