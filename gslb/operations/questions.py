"""Questions to explain, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from gslb.config.rdata import read_type
from gslb.operations.problems import Problems
from gslb.zones.names import read_name


@dataclass(frozen=True, slots=True)
class Question:
    """A query: its owner name and type, the address it comes from, and its client subnet if it has one."""

    owner: str
    rtype: int
    address: str
    network: str | None


def read_question(name: str, rtype: str, client: str, subnet: str | None) -> Question:
    """Raises InvalidChangeError with everything that is no name, type, address or network."""
    problems = Problems()
    owner, number, address, network = "", 0, "", None
    try:
        owner = read_name(name)
    except ValueError as error:
        problems.add("/name", str(error))
    try:
        number = read_type(rtype)
    except ValueError as error:
        problems.add("/type", str(error))
    try:
        address = str(ip_address(_without_interface(client)))
    except ValueError as error:
        problems.add("/client", str(error))
    try:
        network = None if not subnet else str(ip_network(_without_interface(subnet), strict=False))
    except ValueError as error:
        problems.add("/subnet", str(error))
    problems.raise_any()
    return Question(owner, number, address, network)


def _without_interface(text: str) -> str:
    if "%" in text:
        raise ValueError("a client has no interface: leave out the part after %")
    return text
