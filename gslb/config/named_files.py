"""Files that a site names, and what they looked like when it was read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gslb.config.files import stamps

if TYPE_CHECKING:
    from gslb.config.files import Seen

CLOCK_STEP_NS = 20_000_000
"""The times of files are those of a clock of the kernel that moves on less often than this."""


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """Files that a site names and that need not be in its directory, and what they looked like when read.

    ``site`` is what the directory itself looked like before it was loaded. What ``seen`` lacks was not there,
    or may have changed since it was read.
    """

    files: frozenset[Path] = frozenset()
    seen: Seen = frozenset()
    site: Seen = frozenset()


@dataclass(frozen=True, slots=True)
class BeforeReading:
    """What files looked like before a site was read: that of ``known`` ones, which it named before.

    ``begun`` is when, in nanoseconds since 1970.
    """

    known: NamedFiles
    begun: int

    @classmethod
    def of(cls, known: NamedFiles, site: Seen, begun: int) -> BeforeReading:
        """Look at them now. Blocks."""
        return cls(NamedFiles(known.files, stamps(known.files), site), begun)

    def named(self, files: frozenset[Path]) -> NamedFiles:
        """When the site has been read and names these. Blocks.

        A file that changes while it is read must not pass for read as it is after that. One that was known
        looks as it did before; of another only one that has not changed since is known, so the next look
        finds the others changed: then they are known.
        """
        before = {stamp for stamp in self.known.seen if Path(stamp[0]) in files}
        read = stamps(files - self.known.files, self.begun - CLOCK_STEP_NS)
        return NamedFiles(files, read | before, self.known.site)
