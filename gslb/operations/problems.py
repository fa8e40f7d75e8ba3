"""Everything wrong with a request, found in one pass."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gslb.errors import InvalidChangeError

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBLEMS_LIMIT = 100
"""More problems than this are not listed one by one."""


class Problems:
    """Collects (JSON pointer (RFC 6901) of the part at fault, text) and raises them together."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []

    def add(self, pointer: str, text: str) -> None:
        """Note a problem."""
        if len(self._found) < PROBLEMS_LIMIT:
            self._found.append((pointer, text))

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Note everything that an InvalidChangeError raised meanwhile says, and go on after it."""
        try:
            yield
        except InvalidChangeError as error:
            for pointer, text in error.problems or (("", str(error)),):
                self.add(pointer, text)

    def raise_any(self) -> None:
        """Raise InvalidChangeError with every problem, if there is any."""
        if not self._found:
            return
        pointer, text = self._found[0]
        more = f" (and {len(self._found) - 1} more)" if len(self._found) > 1 else ""
        raise InvalidChangeError(f"{pointer}: {text}{more}", field=pointer, problems=self._found)
