"""Values of the configuration: numbers, booleans, names and the like, with findings for bad ones."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from gslb.config import values
from gslb.config.wording import quote
from gslb.importers.gdnsd.vscf import Array, Hash, Text, Value, items_of

if TYPE_CHECKING:
    from gslb.config.report import Report
    from gslb.importers.gdnsd.model import Address

PARAMETERS = ("service_types", "up_thresh", "ignore_health", "multi")
"""Keys that resources, families and datacenters inherit from what is above them."""


class Fields:
    """Reads values out of hashes; what is malformed is reported, and the default counts."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def bad(self, value: Value, message: str) -> None:
        """Note that a value is malformed."""
        self._report.error("import-invalid", value.place, message)

    def text(self, hash_: Hash, key: str, default: str = "") -> str:
        """A string."""
        value = hash_.values.get(key)
        if value is None:
            return default
        if isinstance(value, Text):
            return value.text
        self.bad(value, f"{key} must be a string")
        return default

    def integer(self, hash_: Hash, key: str, default: int) -> int:
        """A number without sign."""
        text = self.text(hash_, key, str(default))
        if text.isascii() and text.isdigit() and len(text) < 10:
            return int(text)
        self.bad(hash_.values[key], f"{key} must be a whole number, not {quote(text)}")
        return default

    def number(self, value: Value | None, what: str, default: float) -> float:
        """A number."""
        if value is None:
            return default
        try:
            return float(value.text) if isinstance(value, Text) else float("x")
        except ValueError:
            self.bad(value, f"{what} must be a number")
            return default

    def boolean(self, hash_: Hash, key: str, default: bool = False) -> bool:
        """``true`` or ``false``."""
        text = self.text(hash_, key, str(default)).lower()
        if text in {"true", "false"}:
            return text == "true"
        self.bad(hash_.values[key], f"{key} must be true or false, not {quote(text)}")
        return default

    def strings(self, value: Value | None) -> tuple[str, ...]:
        """Strings of an array, or one."""
        items = () if value is None else items_of(value)
        for item in items:
            if not isinstance(item, Text):
                self.bad(item, "must be a string, or an array of strings")
        return tuple(item.text for item in items if isinstance(item, Text))

    def hash(self, hash_: Hash, key: str, *, required: str = "") -> Hash:
        """A hash; an empty one if it is not there. ``required`` says whose it is, if it must be."""
        value = hash_.values.get(key)
        if isinstance(value, Hash):
            return value
        if value is not None:
            self.bad(value, f"{key} must be a hash: {key} => {{ ... }}")
        elif required:
            self._report.error("import-invalid", hash_.place, f"{required} lacks {key}")
        return Hash(hash_.place)

    def array(self, value: Value, what: str, length: int) -> tuple[Value, ...] | None:
        """An array of so many items."""
        if isinstance(value, Array) and len(value.items) == length:
            return value.items
        self.bad(value, f"{what} must be an array of {length}")
        return None


def is_absolute_name(text: str) -> bool:
    """Whether a text is a domain name that ends with a dot, and that a site may have as a cname."""
    try:
        values.target(text)
    except ValueError:
        return False
    return True


def as_address(text: str) -> Address | None:
    """The address that a text is, if it is one."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None
