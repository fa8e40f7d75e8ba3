"""CAA records (RFC 8659)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gslb.config.wording import did_you_mean, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

CRITICAL = 128

_ISSUE_TAGS = ("issue", "issuewild", "issuemail", "issuevmc")
_TAGS = (*_ISSUE_TAGS, "iodef", "contactemail", "contactphone")
_LABEL = "[A-Za-z0-9](?:-*[A-Za-z0-9])*"
_ISSUER = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PARAMETER = re.compile(r"[A-Za-z0-9](?:-*[A-Za-z0-9])*[ \t]*=[ \t]*[\x21-\x3a\x3c-\x7e]*")


def parse_caa(rdata: bytes) -> tuple[int, str, str]:
    """(flags, tag in lower case, value) of CAA RDATA, an octet a character. Raises ValueError."""
    if len(rdata) < 2 or len(rdata) < 2 + rdata[1]:
        raise ValueError("is too short")
    end = 2 + rdata[1]
    return rdata[0], rdata[2:end].decode("latin-1").lower(), rdata[end:].decode("latin-1")


def issuer_of(value: str) -> str:
    """The authority that an issue value allows, lower case; empty for none."""
    return value.partition(";")[0].strip(" \t").lower()


def caa_problems(rdata: bytes) -> Iterator[str]:
    """What is wrong with CAA RDATA."""
    try:
        flags, tag, value = parse_caa(rdata)
    except ValueError as error:
        yield str(error)
        return
    if flags not in (0, CRITICAL):
        yield f"flags must be 0 or {CRITICAL} (critical), not {flags} (RFC 8659 section 4.1)"
    if not re.fullmatch("[a-z0-9]+", tag):
        yield f"the tag {quote(tag)} must be letters and digits (RFC 8659 section 4.1)"
    elif tag in _ISSUE_TAGS:
        yield from _issue_problems(value)
    elif tag == "iodef":
        yield from _url_problems(value)
    elif tag == "contactemail":
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
            yield f"contactemail must be a mail address, not {quote(value)}"
    elif tag == "contactphone":
        if not re.search("[0-9]", value):
            yield f"contactphone must be a telephone number, not {quote(value)}"
    else:
        effect = "no authority may issue" if flags & CRITICAL else "authorities ignore it"
        yield f"the tag {quote(tag)} is not known, so {effect}{did_you_mean(tag, _TAGS)}"


def _issue_problems(value: str) -> Iterator[str]:
    """RFC 8659 section 4.2."""
    issuer, _, parameters = value.partition(";")
    issuer = issuer.strip(" \t")
    if issuer and not _ISSUER.fullmatch(issuer):
        yield f"the authority {quote(issuer)} must be a domain name (RFC 8659 section 4.2)"
    listed = parameters.split(";") if parameters.strip(" \t") else []
    if listed and not listed[-1].strip(" \t"):
        listed.pop()
    for parameter in listed:
        if not _PARAMETER.fullmatch(parameter.strip(" \t")):
            yield f"the parameter {quote(parameter.strip())} must be tag=value (RFC 8659 section 4.2)"


def _url_problems(value: str) -> Iterator[str]:
    """RFC 8659 section 4.4."""
    try:
        url = urlsplit(value)
        usable = bool("@" in url.path if url.scheme == "mailto" else url.hostname)
    except ValueError:
        yield f"iodef must be a URL, not {quote(value)}"
        return
    if url.scheme not in ("mailto", "http", "https") or not usable or re.search(r"[^\x21-\x7e]", value):
        yield f"iodef must be a mailto:, http: or https: URL, not {quote(value)} (RFC 8659 section 4.4)"
