"""Importing this before anything else of gslb keeps structlog from importing rich.

structlog would draw tracebacks with it. A server's log has no use for that, and importing rich is a sixth of
what the server does before its first answer. Who imports rich afterwards gets it.
"""

from __future__ import annotations

import sys

# Importing what stands there as None fails, as if it were not installed.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]

import structlog  # noqa: E402, F401 - that is the purpose

if sys.modules["rich"] is None:
    del sys.modules["rich"]
