"""Where gslb answers otherwise than gdnsd on purpose: each with what it is and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.differential.gdnsd.compare import Seen


@dataclass(frozen=True)
class Known:
    """One named difference of a part: rcode, answer, ttl, scope or draws."""

    name: str
    part: str
    reason: str
    matches: Callable[[Seen], bool]


KNOWN = (
    Known(
        "an answer that is up",
        "answer",
        "a map lists only some datacenters for a client and all of these are down: gdnsd answers with the "
        "first of them although it is down, gslb with a datacenter that is up",
        lambda seen: seen.is_limited and seen.is_degraded,
    ),
    Known(
        "families apart",
        "answer",
        "a datacenter that is down for one address family is down for the other too in gdnsd; in gslb "
        "each family fails over by itself, so that it answers with what is up",
        lambda seen: seen.is_degraded and seen.has_pairs,
    ),
    Known(
        "CNAMEs followed",
        "answer",
        "gdnsd leaves the rest of a chain to the resolver (experimental_no_chain), gslb answers it at "
        "once as RFC 1034 section 4.3.2 says",
        lambda seen: seen.is_prefix_of_ours,
    ),
    Known(
        "forced, not observed",
        "ttl",
        "gdnsd's forced states say nothing of the next change, so its TTL stays the longest; gslb's "
        "shrinks towards the declared minimum while an endpoint is down",
        lambda seen: seen.is_degraded and seen.is_steered and seen.our_ttl_is_declared,
    ),
    Known(
        "one TTL for all clients",
        "ttl",
        "gdnsd's TTL depends on how the client's datacenter is monitored; in gslb a name has one, the least, "
        "and the importer says so",
        lambda seen: seen.ttls_differ and seen.our_ttl_is_shorter,
    ),
    Known(
        "negative answers that may change",
        "ttl",
        "where a client's datacenter has no such records gdnsd answers with the zone's negative TTL; gslb "
        "with that of the name at most, since another datacenter may have some",
        lambda seen: (
            seen.is_steered and not seen.ours.answer and not seen.theirs.answer and seen.our_ttl_is_shorter
        ),
    ),
    Known(
        "finer classes",
        "scope",
        "gdnsd cuts a client's list at auto_dc_limit and merges what is then alike; gslb keeps the whole "
        "order, for when more datacenters are down, so a scope may be longer, never shorter",
        lambda seen: seen.is_limited and seen.our_scope_is_longer,
    ),
    Known(
        "the scope of what was passed over",
        "scope",
        "gdnsd forgets the scope of a geoip resource that is down within a metafo; gslb keeps it where nothing "
        "is left in the end, so a scope may be longer, never shorter",
        lambda seen: (
            seen.is_degraded
            and seen.record.endswith("metafo!meta5")
            and not seen.ours.answer
            and seen.our_scope_is_longer
        ),
    ),
    Known(
        "coarser classes",
        "scope",
        "a short list is another list than a longer one for gdnsd; where the longer one goes on in the "
        "declared order "
        "the two are one class in gslb, because other datacenters come after a short list",
        lambda seen: seen.is_limited and not seen.our_scope_is_longer and seen.our_scope_is_true,
    ),
    Known(
        "6to4",
        "scope",
        "gdnsd looks 2002::/16 up as the IPv4 addresses within and merges no network across it; gslb treats "
        "it as "
        "any other",
        lambda seen: seen.client_is_near_6to4 and not seen.our_scope_is_longer and seen.our_scope_is_true,
    ),
    Known(
        "the resolver's address",
        "scope",
        "reflect!dns tells the resolver's own address, whomever it asks for, so gslb's scope is 0; gdnsd "
        "says that of the client subnet all the same",
        lambda seen: seen.record.endswith("reflect!dns") and seen.ours.scope == 0,
    ),
    Known(
        "nothing for anybody",
        "scope",
        "gdnsd gives the scope of the map also where no datacenter has addresses of the family; in gslb "
        "nobody gets any, so the scope is 0",
        lambda seen: not seen.ours.answer and not seen.theirs.answer and seen.ours.scope == 0,
    ),
    Known(
        "no coordinates",
        "answer",
        "a location without coordinates is at 0 degrees north and east for gdnsd; gslb takes the declared "
        "order",
        lambda seen: seen.is_automatic and not seen.client_has_coordinates,
    ),
    Known(
        "no coordinates",
        "scope",
        "as above: the neighbours of such a location have other answers",
        lambda seen: seen.is_automatic and seen.our_scope_is_longer,
    ),
)

GROUPS_KEEP_WEIGHT = Known(
    "groups keep their weight",
    "draws",
    "a group of weighted weighs less in gdnsd while some of its addresses are down, so with multi it is left "
    "out at "
    "times; in gslb a pool keeps its weight as long as it is up",
    lambda seen: seen.is_degraded,
)


def name_of(seen: Seen, part: str) -> str | None:
    """The name of a difference, if it is known."""
    return next((known.name for known in KNOWN if known.part == part and known.matches(seen)), None)
