"""The engine without sockets, for tests: zones as text in, dnspython messages out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import dns.rdatatype

from gslb._dataplane import DataPlane, Steering, Zone
from gslb.zones.pending import resolve_pending
from gslb.zones.source import read_zone_text

if TYPE_CHECKING:
    from pathlib import Path

NO_STEERING = {"databases": [], "pops": [], "pools": [], "policies": [], "names": [], "latency": []}
APEX = "@ 3600 IN SOA ns1 hostmaster 1 7200 1800 1209600 300\n@ 3600 IN NS ns1\nns1 300 IN A 192.0.2.53\n"


class Engine:
    """Answers from zones given as {origin: text}; ``steering`` is a steering document as a dict."""

    def __init__(self, directory: Path, zones: dict[str, str], steering: dict | None = None) -> None:
        self.steering = steering or NO_STEERING
        names = [(name["name"], index) for index, name in enumerate(self.steering["names"])]
        self.zones = [self._compile(directory, origin, text, names) for origin, text in zones.items()]
        self.dataplane = DataPlane(seed=1)
        compiled = Steering.compile(json.dumps(self.steering))
        self.verdicts = bytearray(compiled.endpoint_count)
        self.dataplane.publish(self.zones, compiled, bytes(self.verdicts))

    @staticmethod
    def _compile(directory: Path, origin: str, text: str, names: list[tuple[str, int]]) -> Zone:
        path = directory / f"{origin.rstrip('.') or 'root'}.zone"
        path.write_text(text)
        zone = read_zone_text(str(path), origin)
        resolve_pending(zone)
        return zone.compile([(name, index) for name, index in names if f".{name}".endswith(f".{origin}")])

    def ask(
        self,
        name: str,
        rtype: str = "A",
        *,
        client: str = "127.0.0.1",
        subnet: str | None = None,
        transport: str = "udp",
        edns: bool = True,
        payload: int = 1232,
        do: bool = False,
    ) -> dns.message.Message:
        """The answer, parsed."""
        options = [dns.edns.ECSOption.from_text(subnet)] if subnet else []
        query = dns.message.make_query(
            name, rtype, use_edns=0 if edns else -1, payload=payload, options=options, want_dnssec=do
        )
        query.flags &= ~dns.flags.RD
        wire = self.dataplane.answer(query.to_wire(), client, transport)
        assert wire is not None
        answer = dns.message.from_wire(wire)
        assert query.is_response(answer)
        return answer

    def raw(self, wire: bytes, transport: str = "udp") -> bytes | None:
        """The answer to any octets."""
        return self.dataplane.answer(wire, "127.0.0.1", transport)

    def set_verdict(self, endpoint: int, verdict: int) -> None:
        """Publish another verdict for one endpoint."""
        self.verdicts[endpoint] = verdict
        self.dataplane.publish_verdicts(bytes(self.verdicts))


def rows(section: list) -> list[str]:
    """A section as sorted lines ``name ttl type rdata``."""
    return sorted(
        f"{rrset.name} {rrset.ttl} {dns.rdatatype.to_text(rrset.rdtype)} {rdata}"
        for rrset in section
        for rdata in rrset
    )
