"""Every exception that gslb raises on purpose.

::

    GslbError
    ├── SiteError            the site directory does not load: carries every error found
    ├── StateError           the state directory cannot be used
    ├── ListenError          an address cannot be listened on
    ├── SteeringError        the compiled steering or the geo data is not usable
    └── OperationError       a request that an operator made cannot be done
        ├── NotFoundError        no such POP, zone or name
        ├── InvalidChangeError   the change is malformed or would break the zone
        └── ConflictError        the change contradicts the present state
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gslb.model.finding import Finding


ERRORS_SHOWN = 100
"""More errors than this are counted, not told one by one: a site may have one in each of very many files."""

OTHERS = "… and "
"""How the text begins that counts them."""


def shown(found: Sequence[object]) -> list[str]:
    """A text for each of the first, and one that counts the others if there are any."""
    more = len(found) - ERRORS_SHOWN
    others = [f"{OTHERS}{more} more: gslb check shows all"] if more > 0 else []
    return [*map(str, found[:ERRORS_SHOWN]), *others]


class GslbError(Exception):
    """Base of all; its text says what is wrong, where, and what to do."""


class SiteError(GslbError):
    """The site directory does not load; nothing of it was taken over.

    ``findings`` keeps the errors, which would be hard to see among warnings; ``gslb check`` shows all. The
    text has the first ``ERRORS_SHOWN``.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(finding for finding in findings if finding.severity == "error")
        super().__init__("\n".join(shown(self.findings)))


class StateError(GslbError):
    """The state directory cannot be created, read or written."""


class ListenError(GslbError):
    """An address cannot be listened on."""


class SteeringError(GslbError):
    """The steering document or the geo data cannot be compiled."""


class OperationError(GslbError):
    """A request that an operator made cannot be done; nothing changed.

    ``field`` names the part of the request at fault, as a JSON pointer, or is empty. ``problems`` lists every
    (JSON pointer, text) when more than one part is at fault. ``findings`` are what the site itself says
    against it.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        problems: Sequence[tuple[str, str]] = (),
        findings: Sequence[Finding] = (),
    ) -> None:
        self.field = field
        self.problems = tuple(problems) or (((field, message),) if field else ())
        self.findings = tuple(findings)
        super().__init__(message)


class NotFoundError(OperationError):
    """No such POP, zone or name."""


class InvalidChangeError(OperationError):
    """The change is malformed or would break the zone."""


class ConflictError(OperationError):
    """The change contradicts the present state."""
