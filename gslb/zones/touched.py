"""Which answers a change of some RRsets of a zone can change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rdatatype

if TYPE_CHECKING:
    from collections.abc import Collection

    from gslb.model.change import RRsetChange
    from gslb.zones.reach import Reached

_DNAME = int(dns.rdatatype.DNAME)
WITH_SOA = frozenset({int(dns.rdatatype.SOA), int(dns.rdatatype.ANY)})
"""Types whose answers have the SOA record, whose serial rises with every change of a zone."""


class Touched:
    """What answers a change of RRsets of one zone may change. Takes whole branches below the zone's name.

    A record that comes or goes concerns the names above and below it, those beside it where an empty
    non-terminal comes or goes with it, and, as a wildcard, all below its parent.
    """

    def __init__(self, origin: str, changes: Collection[RRsetChange]) -> None:
        self._origin = origin
        self._below = origin if origin == "." else f".{origin}"
        self._branches = {self._branch(owner) for owner, _, _, _ in changes}
        self._is_everything = "*" in self._branches or any(
            owner == origin and rtype == _DNAME for owner, rtype, _, _ in changes
        )

    def affects(self, reached: Reached, rtype: int = 0) -> bool:
        """Whether an answer of type ``rtype`` that comes from what was ``reached`` may be another now.

        Type 0 is for what is reached itself.
        """
        return not reached.is_whole or any(self._concerns(name, rtype) for name in reached.names)

    def _concerns(self, name: str, rtype: int) -> bool:
        branch = self._branch(name)
        if branch is None:
            return False
        if not branch:
            return branch in self._branches or rtype in WITH_SOA
        return self._is_everything or branch in self._branches

    def _branch(self, name: str) -> str | None:
        """The label below the zone's name, empty for that name itself; ``None`` outside of the zone."""
        if name == self._origin:
            return ""
        if not name.endswith(self._below):
            return None
        return name.removesuffix(self._below).rpartition(".")[2]
