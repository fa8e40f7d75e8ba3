"""What operations need from the part that owns the snapshot (``gslb/publish.py``).

Everything named ``prepare_…`` may fail and has no effect; everything named ``commit_…`` cannot fail and takes
effect before it returns. Between the two the change is made durable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gslb.model.change import Overlay, RRsetChange
    from gslb.model.finding import Finding
    from gslb.model.site import LatencyRow, SteeringConfig


class CompiledZone(Protocol):
    """The part of ``_dataplane.Zone`` that reports read."""

    @property
    def origin(self) -> str:
        """Absolute, lower case, with a final dot."""

    @property
    def serial(self) -> int:
        """Of the SOA (RFC 1035 section 3.3.13)."""

    @property
    def record_count(self) -> int:
        """Number of records."""

    @property
    def name_count(self) -> int:
        """Number of owner names."""

    def rrset(self, name: str, rtype: int) -> tuple[int, list[bytes]] | None:
        """TTL in seconds and RDATA in wire format of one RRset."""

    def rrsets(self, offset: int, limit: int) -> list[tuple[str, int, int, list[bytes]]]:
        """RRsets (name, type, TTL, RDATA) in a stable order, from ``offset`` on, at most ``limit``."""


class PreparedSite(Protocol):
    """A site that was loaded and compiled, not yet published."""

    @property
    def steering(self) -> SteeringConfig:
        """As it will be once published."""

    @property
    def findings(self) -> Sequence[Finding]:
        """Warnings and remarks; a site with errors is never prepared."""


class PreparedZone(Protocol):
    """A changed zone, not yet published. ``serial`` is its new SOA serial."""

    @property
    def origin(self) -> str:
        """Absolute, lower case, with a final dot."""

    @property
    def serial(self) -> int:
        """Of the SOA (RFC 1035 section 3.3.13)."""


class PreparedLatency(Protocol):
    """Steering recompiled with a new latency table, not yet published."""

    @property
    def steering(self) -> SteeringConfig:
        """As it will be once published."""


class Publisher(Protocol):
    """The only caller of the native publish functions.

    Operations never run two of prepare/commit of a site, a zone or latency at once; ``publish_verdicts`` may
    come between a prepare and its commit.
    """

    @property
    def generation(self) -> int:
        """Of the published snapshot; 0 before the first."""

    @property
    def steering(self) -> SteeringConfig:
        """The published steering, the API's latency rows included; empty before the first."""

    def zones(self) -> Mapping[str, CompiledZone]:
        """The published zones by origin, such as ``example.com.``."""

    async def prepare_site(self, overlay: Overlay) -> PreparedSite:
        """Load the site directory anew, lay ``overlay`` over it, compile. Raises SiteError."""

    def commit_site(self, prepared: PreparedSite, verdicts: bytes) -> int:
        """Publish it; ``verdicts`` has one octet per endpoint of its steering. Returns the generation."""

    def prepare_zone_change(self, origin: str, changes: list[RRsetChange]) -> PreparedZone:
        """Apply the changes and raise the SOA serial. Raises InvalidChangeError."""

    def commit_zone_change(self, prepared: PreparedZone) -> int:
        """Publish the zone; return the generation."""

    async def prepare_latency(self, rows: Sequence[LatencyRow]) -> PreparedLatency:
        """Recompile steering; ``rows`` are all the API's rows, not only new ones. Raises SteeringError."""

    def commit_latency(self, prepared: PreparedLatency, verdicts: bytes) -> int:
        """Publish the steering; return the generation."""

    def publish_verdicts(self, verdicts: bytes) -> int:
        """Publish one octet per endpoint of ``steering``; return the generation."""

    def explain(self, name: str, rtype: int, client: str, subnet: str | None) -> dict[str, object]:
        """Each step of the answer and the answer itself, by the code that answers."""

    def counters(self) -> dict[str, int]:
        """The data plane's monotonic counters."""
