"""Where the ALIAS records that are served lead outside, and which changes can make that another place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gslb.aliases.external import FOLLOWED_TYPES, external_aliases
from gslb.model.alias import ALIAS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gslb._dataplane import Zone
    from gslb.aliases.external import ExternalAlias
    from gslb.config.leads import AliasRow
    from gslb.model.change import RRsetChange
    from gslb.model.site import SteeringConfig


@dataclass(frozen=True, slots=True)
class ExternalTargets:
    """The ALIAS records of each zone, and those that may lead outside. What makes one may block.

    ``aliases`` are sorted by name; ``origins`` are the zones that were looked into on the ways.
    """

    rows: Mapping[str, Sequence[AliasRow]]
    aliases: tuple[ExternalAlias, ...] = ()
    origins: frozenset[str] = frozenset()

    @classmethod
    def of(cls, zones: Mapping[str, Zone], steering: SteeringConfig) -> ExternalTargets:
        """Of a whole site: a look at every name."""
        rows = {origin: rows for origin, zone in zones.items() if (rows := zone.aliases())}
        return _followed(rows, zones, steering)

    def after(
        self,
        origin: str,
        changes: Collection[RRsetChange],
        zones: Mapping[str, Zone],
        steering: SteeringConfig,
    ) -> ExternalTargets:
        """When one zone of ``zones`` has been changed: itself if that concerns no ALIAS."""
        types = {rtype for _, rtype, _, _ in changes}
        before = self.rows.get(origin, ())
        rows = zones[origin].aliases() if ALIAS in types else before
        # Any other record leads nowhere, and where no way leads through it does not matter.
        is_on_way = origin in self.origins and not types.isdisjoint(FOLLOWED_TYPES)
        if set(rows) == set(before) and not is_on_way:
            return self
        return _followed({**self.rows, origin: rows}, zones, steering)


def _followed(
    rows: Mapping[str, Sequence[AliasRow]], zones: Mapping[str, Zone], steering: SteeringConfig
) -> ExternalTargets:
    """By way of steered names too: a look at every steered name."""
    if not any(rows.values()):
        return ExternalTargets(rows)
    from gslb.zones.reach import steered_targets  # noqa: PLC0415 - a start without aliases is quicker

    found = external_aliases(rows, zones, steered_targets(steering))
    return ExternalTargets(rows, tuple(sorted(found.aliases)), found.origins)
