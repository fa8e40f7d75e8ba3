"""The typed boundary to the native data plane. Bytes, ints and strings cross it, once per publish.

Names cross in presentation format, absolute, lower case, with a final dot, unless said otherwise.
"""

from typing import Self, final

__all__ = ["DataPlane", "Steering", "Zone", "ZoneText"]

@final
class ZoneText:
    """The records of one zone as read from master files, before they are compiled."""

    @staticmethod
    def read(path: str, origin: str) -> ZoneText:
        """Read the master file at ``path`` (RFC 1035 section 5). Errors become findings, never exceptions."""

    @property
    def origin(self) -> str: ...
    @property
    def record_count(self) -> int: ...
    @property
    def files(self) -> list[str]:
        """Every file read, includes too."""

    def pending(self) -> list[tuple[int, int, str, str]]:
        """Records whose type the native reader leaves to dnspython: (index, type, RDATA text, origin)."""

    def fill(self, index: int, rdata: bytes) -> None:
        """Give a pending record its wire-format RDATA."""

    def reject(self, index: int, message: str) -> None:
        """Turn a pending record into a ``zone-syntax`` error finding."""

    def check(self) -> list[tuple[str, str, str, int, int, str]]:
        """Syntax errors and zone checks: (rule, severity, file, line, column, message)."""

    def owners(self, names: list[str]) -> list[list[tuple[int, str, int]]]:
        """For each name, its (type, file, line) rows."""

    def compile(self, steered: list[tuple[str, int]]) -> Zone:
        """Compile; ``steered`` are (name, index into the steering document's names) of this zone.

        Raises ValueError when ``check`` has errors.
        """

@final
class Zone:
    """A compiled, immutable zone."""

    @property
    def origin(self) -> str: ...
    @property
    def serial(self) -> int: ...
    @property
    def record_count(self) -> int: ...
    @property
    def name_count(self) -> int: ...
    def rrset(self, name: str, rtype: int) -> tuple[int, list[bytes]] | None:
        """TTL in seconds and RDATA in wire format of one RRset."""

    def rrsets(self, offset: int, limit: int) -> list[tuple[str, int, int, list[bytes]]]:
        """RRsets (name, type, TTL, RDATA) in a stable order, from ``offset`` on, at most ``limit``."""

    def with_rrsets(self, changes: list[tuple[str, int, int, list[bytes]]]) -> Zone:
        """A new zone in which each (name, type, TTL, RDATA) replaces that RRset; empty RDATA removes it.

        Raises ValueError when the result would break a zone rule (CNAME beside other data, no SOA, ...).
        """

@final
class Steering:
    """Compiled policies, pools and geo data."""

    @staticmethod
    def compile(document: str) -> Steering:
        """Compile the steering document (JSON, see ``gslb/steering/document.py``).

        Raises ValueError that says what and where; reads the geo databases named in it.
        """

    @property
    def endpoint_count(self) -> int: ...
    @property
    def name_count(self) -> int: ...

@final
class DataPlane:
    """The engine and its listeners. Every method is safe to call from any thread."""

    def __new__(cls, *, seed: int | None = None) -> Self: ...
    def publish(self, zones: list[Zone], steering: Steering, verdicts: bytes) -> int:
        """Publish everything anew; return the generation. One octet per endpoint in ``verdicts``."""

    def publish_zone(self, zone: Zone) -> int:
        """Replace the zone of the same origin."""

    def publish_steering(self, steering: Steering) -> int:
        """Replace policies and measurements; names and endpoints must be the same."""

    def publish_verdicts(self, verdicts: bytes) -> int: ...
    def identify(self, *, version: str | None = None, name: str | None = None) -> None:
        """What to say to version.server and id.server (RFC 4892) and NSID (RFC 5001); nothing unless set.

        Raises ValueError for more than 128 characters, or others than printable ASCII.
        """

    @property
    def generation(self) -> int: ...
    def answer(self, wire: bytes, client: str, transport: str = "udp") -> bytes | None:
        """Answer one query without sockets; ``None`` where the server would stay silent."""

    def explain(self, name: str, rtype: int, client: str, subnet: str | None = None) -> str:
        """JSON: each step of the answer and the answer itself, by the code that answers."""

    def listen(self, addresses: list[str], workers: int) -> list[str]:
        """Bind UDP and TCP on each address, ``workers`` UDP sockets each; return the addresses bound.

        Raises OSError that names the address.
        """

    def start(self) -> None:
        """Start answering on what ``listen`` bound."""

    def stop(self) -> None:
        """Stop the listeners and join their threads."""

    def counters(self) -> dict[str, int]:
        """Monotonic counters, summed over the workers (names in ``docs/reference/metrics.md``)."""
