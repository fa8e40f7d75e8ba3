"""What the server says of itself (RFC 4892, RFC 5001)."""

from __future__ import annotations

import socket
from importlib.metadata import version
from typing import TYPE_CHECKING

import dns.edns
import dns.message
import dns.query
import dns.rcode
import dns.rdataclass
import pytest

from tests.e2e.server import QUERY_SECONDS, run_command, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.server import Server
    from tests.e2e.site import Site


def said(server: Server, name: str) -> list[str]:
    """What is answered to a question in class CHAOS; nothing when it is refused."""
    query = dns.message.make_query(name, "TXT", dns.rdataclass.CH)
    answer = dns.query.udp(query, "127.0.0.1", timeout=QUERY_SECONDS, port=server.port)
    assert answer.rcode() == (dns.rcode.NOERROR if answer.answer else dns.rcode.REFUSED)
    return texts_of(answer)


def nsid(server: Server) -> list[bytes]:
    query = dns.message.make_query(
        "www.example.com", "A", options=[dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")]
    )
    answer = dns.query.udp(query, "127.0.0.1", timeout=QUERY_SECONDS, port=server.port)
    return [option.nsid for option in answer.options if option.otype == dns.edns.OptionType.NSID]


@pytest.mark.parametrize(
    ("options", "names", "versions", "nsids"),
    [
        ((), [socket.gethostname()], [f"gslb {version('gslb')}"], []),
        (("--identity", "fra-1", "--version-text", "edge 7"), ["fra-1"], ["edge 7"], [b"fra-1"]),
        (("--identity", "", "--version-text", ""), [], [], []),
    ],
)
def test_identity(site: Site, start: Callable[..., Server], options, names, versions, nsids):
    server = start(site.path, options=options)
    assert (said(server, "id.server"), said(server, "hostname.bind")) == (names, names)
    assert (said(server, "version.bind"), said(server, "version.server")) == (versions, versions)
    assert nsid(server) == nsids


@pytest.mark.parametrize("option", ["--identity", "--version-text"])
def test_texts_that_cannot_be_said_are_refused(site: Site, option):
    for text in ("x" * 129, "ä", "a\nb"):
        ended = run_command("serve", str(site.path), option, text)
        assert ended.returncode == 2
        assert option in ended.stderr
