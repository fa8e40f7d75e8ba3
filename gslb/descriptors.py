"""File descriptors: how many this process may have, and how they are shared out.

Probes, the API, the store and the listeners must find one at any time, however many TCP clients there are:
so the soft limit is raised to the hard one, and streams get at most half of it.
"""

from __future__ import annotations

import resource

import structlog

log = structlog.get_logger(__name__)

STREAMS = 1_000
"""TCP connections at once where descriptors do not run short; the data plane allows no more."""
ENOUGH = 4_096
"""Below this many descriptors a warning says so."""


def raise_limit() -> int:
    """Raise the soft limit to the hard one, as far as the system lets us. Returns the limit in force."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (OSError, ValueError) as error:
            log.warning("the limit of open files cannot be raised", limit=soft, error=str(error))
    if soft == resource.RLIM_INFINITY:
        return ENOUGH * 256
    if soft < ENOUGH:
        log.warning(
            "few open files are allowed, so fewer TCP clients are served: raise ulimit -Hn or LimitNOFILE",
            limit=soft,
            recommended=ENOUGH,
        )
    return soft


def streams_for(limit: int) -> int:
    """How many TCP connections may be open at once where ``limit`` descriptors are allowed."""
    return max(1, min(STREAMS, limit // 2))
