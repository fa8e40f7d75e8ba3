"""The typed boundary to the native data plane. Bytes, ints and strings cross it, once per publish.

Names cross in presentation format, absolute, lower case, with a final dot, unless said otherwise.
"""

from collections.abc import Sequence
from typing import Final, Self, final

__all__ = ["VERSION", "DataPlane", "Origins", "Steering", "Zone", "ZoneText"]

VERSION: Final[str]
"""Of gslb, as the package has it, such as ``0.1.0``."""

@final
class Origins:
    """The origins of all zones of a site, for checks that look beyond one zone."""

    def __new__(cls, origins: list[str]) -> Self: ...

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

    def check(
        self, origins: Origins | None = None, steered: list[str] = ...
    ) -> tuple[list[tuple[str, str, str, int, int, str]], list[tuple[str, str, int, str, int]]]:
        """Syntax errors and zone checks, and the targets that other zones have to hold.

        ``steered`` are the names of this zone that steering answers. Findings are (rule, severity, file,
        line, column, message), targets (name, origin of the zone it lies in, type of the record that
        points to it, file, line), at most 100,000.
        """

    def presence(self, targets: list[str], steered: list[str]) -> list[int]:
        """For each of ``targets``: 0 it does not exist, 1 it has no addresses, 2 it has or may have some."""

    def records(
        self,
        types: list[int],
        limit: int,
        *,
        except_types: list[int] = ...,
        owners: list[str] | None = None,
        ttl_below: int | None = None,
        ttl_above: int | None = None,
    ) -> list[tuple[str, int, int, bytes, str, int]]:
        """The first ``limit`` records, as (owner, type, TTL, RDATA, file, line), in reading order.

        Only those of ``types`` unless it is empty, not of ``except_types``, of ``owners`` unless it is
        ``None``, and with TTLs less than ``ttl_below`` or more than ``ttl_above`` if either is given. RDATA
        that could not be read is empty.
        """

    def misfits(
        self, types: list[int], limit: int, *, of_owners: bool, allow: list[str], forbid: list[str]
    ) -> list[tuple[str, int, int, bytes, str, int]]:
        """The first ``limit`` records whose owner, or else target or address, the patterns do not admit.

        Patterns are names without a final dot in which ``*`` stands for anything, and networks. A name must
        match one of the names in ``allow``, an address one of the networks, if there are any; and none of
        ``forbid``. Raises ValueError for a malformed network.
        """

    def digest(self) -> bytes:
        """16 octets that depend on all records, but neither on their order nor on the SOA's serial."""

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

    def aliases(self) -> list[tuple[str, str, int]]:
        """The ALIAS records: (owner, target, TTL)."""

    def rrsets(
        self, offset: int, limit: int, rtype: int | None = None
    ) -> tuple[list[tuple[str, int, int, list[bytes]]], int | None]:
        """At most ``limit`` RRsets (name, type, TTL, RDATA) in a stable order, and where the next begins.

        ``offset`` counts RRsets of all types, also where only those of ``rtype`` are wanted. Nothing before
        it is looked at, but for the names stored next to it. The next page is ``None`` behind the last.
        """

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
    def databases(self) -> list[tuple[list[tuple[str, str]], bool, bool]]:
        """What each geo database of the document says, in its order.

        The (country, continent) pairs of its networks, codes or empty but not both, sorted; whether it has
        coordinates; whether it has AS numbers. Overrides are not looked at.
        """

    def examples(self, locations: list[tuple[str, str]], limit: int) -> list[list[str]]:
        """Of each of ``locations`` an address of each distinct location of the databases that lies in it.

        IPv4 first, at most ``limit``. A location is (``asn``, ``subdivision``, ``country`` or ``continent``,
        value). A list is empty when the geo databases know no such location. All of them are looked for on
        one way through the networks. Raises ValueError for what is no selector.
        """

    def has_map_of(self, other: Steering) -> bool:
        """Whether the geo databases and overrides of both say the same."""

    def moves_from(self, before: Steering, limit: int) -> str:
        """Which networks get other POPs than ``before`` while all serve, of the names that both have.

        JSON, see ``gslb/steering/moves.py``. ``limit``: example networks of each move, at most 100.
        """

    def decide(
        self, name: int, rtype: int, client: str, verdicts: bytes, loads: bytes = b"", seed: int = 0
    ) -> tuple[str, list[int], int, int]:
        """What the steered name with the index ``name`` answers ``client``, by the code that answers queries.

        Verdicts and loads are those of ``DataPlane.publish_verdicts``; chance follows from ``seed``. Gives
        the outcome (answer, last_resort, not_offered, nodata or servfail), endpoint numbers best first, TTL
        in seconds and client-subnet scope in bits. Of a pool of CNAMEs the first endpoint is what is
        answered.
        """

    def shares(
        self,
        questions: list[tuple[int, int, str]],
        verdicts: bytes,
        loads: bytes = b"",
        draws: int = 256,
        seed: int = 0,
    ) -> list[list[tuple[int, float]]]:
        """For each (index of a steered name, type, client) which share of the answers has which endpoint.

        By endpoint number, without endpoints that get nothing; what a sum lacks of 1 no endpoint gets. Each
        endpoint of an answer has an equal part of it. The client stands for its location class: policies
        that draw, or stick to client prefixes, are asked ``draws`` times (1 to 65,536), for other clients.
        """

@final
class DataPlane:
    """The engine and its listeners. Every method is safe to call from any thread."""

    def __new__(cls, *, seed: int | None = None) -> Self: ...
    def publish(self, zones: list[Zone], steering: Steering, verdicts: bytes, loads: bytes = b"") -> int:
        """Publish everything anew; return the generation. For the tables see ``publish_verdicts``."""

    def publish_zone(self, zone: Zone) -> int:
        """Replace the zone of the same origin."""

    def publish_steering(self, steering: Steering) -> int:
        """Replace policies and measurements; names, endpoints and POPs must be the same."""

    def publish_verdicts(self, verdicts: bytes, loads: bytes = b"") -> int:
        """Replace what is said of endpoints and POPs.

        ``verdicts`` has an octet per endpoint: 0 serving, 1 down, 2 drained, plus 4 if it served when its
        pool was last available. ``loads`` is empty, or has two octets per POP, big-endian: its load in
        thousandths of its capacity, 65,535 for unknown.
        """

    def publish_flattened(self, sets: list[tuple[str, int, int, list[bytes], bool]]) -> int:
        """Replace the addresses of the names not served here to which ALIAS records lead.

        Each is (name, A or AAAA, TTL, RDATA, whether it is stale); no RDATA means the target has none.
        """

    def identify(
        self, *, version: str | None = None, name: str | None = None, nsid: str | None = None
    ) -> None:
        """What to say to version.server and id.server (RFC 4892) and NSID (RFC 5001); nothing unless set.

        Raises ValueError for more than 128 characters, or others than printable ASCII.
        """

    @property
    def generation(self) -> int: ...
    def answer(self, wire: bytes, client: str, transport: str = "udp") -> bytes | None:
        """Answer one query without sockets; ``None`` where the server would stay silent."""

    def explain(
        self,
        name: str,
        rtype: int,
        client: str,
        subnet: str | None = None,
        verdicts: bytes | None = None,
        loads: bytes | None = None,
    ) -> str:
        """JSON: each step of the answer and the answer itself, by the code that answers.

        With ``verdicts`` or ``loads``: what the answer would be if these were published. Nothing is.
        """

    def listen(self, addresses: list[str], workers: int) -> list[str]:
        """Bind UDP and TCP on each address, ``workers`` UDP sockets each; return the addresses bound.

        Raises OSError that names the address.
        """

    def start(self, streams: int = 1000, cpus: Sequence[int] = ()) -> None:
        """Start answering on what ``listen`` bound, at most ``streams`` TCP connections at once.

        Of each address, the first UDP worker stays on the first of ``cpus``, and so on; all run anywhere if
        there are none. Raises OSError for a CPU that is not there or not allowed, and for too few of them.
        """

    def stop(self) -> None:
        """Stop the listeners and join their threads."""

    def give_memory_back(self) -> None:
        """Free what was replaced, and give the system what loading took and serving does not need.

        Waits up to 0.1 s for queries that hold what was replaced, then blocks for milliseconds.
        """

    def demand(self) -> list[tuple[str, int, str, str, int]]:
        """Queries for steered names since the last call: (name, type, country, example client, queries).

        A row for each name, type, location class and country. The type is that of the pool's answers: CNAME
        for a pool of CNAMEs. The country is empty where the geo databases know none. Several rows may be of
        the same clients after the steering was replaced.
        """

    def counters(self) -> dict[str, int]:
        """Monotonic counters, summed over the workers (names in ``docs/reference/metrics.md``)."""
