"""What is supposed for once, to see what would be."""

from __future__ import annotations

from datetime import UTC, datetime

from gslb.model.policy_test import Conditions


class Suppositions(Conditions):
    """Conditions laid over what is live. ``at`` is the moment to look at, aware; ``None`` is now."""

    at: datetime | None = None

    def __str__(self) -> str:
        parts = [super().__str__()] if super().__str__() else []
        if self.at is not None:
            parts.append(f"at {self.at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}")
        return ", ".join(parts)

    def __bool__(self) -> bool:
        """Whether anything is supposed."""
        return bool(self.down or self.drain or self.load or self.at is not None)
