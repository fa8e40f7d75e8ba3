"""DMARC records (RFC 7489 section 6.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gslb.config.wording import did_you_mean, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAXIMUM_LENGTH = 4096

_POLICIES = ("none", "quarantine", "reject")
_TAG_NAME = re.compile("[a-z]+")
_VALUE = re.compile(r"[\x20-\x3a\x3c-\x7e\t]*")
_VERSION = re.compile(r"[ \t]*v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_SIZE = re.compile(r"![0-9]+[kmgt]?\Z", re.IGNORECASE)


def is_dmarc(text: str) -> bool:
    """Whether a TXT record begins with the version of DMARC, in this case of letters."""
    return bool(_VERSION.match(text))


def dmarc_problems(text: str) -> Iterator[str]:
    """What is wrong with a record that begins with the version."""
    if len(text) > MAXIMUM_LENGTH:
        yield f"has more than {MAXIMUM_LENGTH} octets"
        return
    seen: list[str] = []
    parts = text.split(";")
    for index, part in enumerate(parts[1:], 1):
        if not part.strip(" \t"):
            if index != len(parts) - 1:
                yield "two semicolons follow each other"
            continue
        name, equals, value = (text.strip(" \t") for text in part.partition("="))
        name = name.lower()
        if not equals or not _TAG_NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            yield f"{quote(part.strip())} is not tag=value"
            continue
        if name in seen:
            yield f"the tag {name} stands twice"
        seen.append(name)
        check = _TAGS.get(name)
        if check is None:
            hint = did_you_mean(name, _TAGS)
            yield f"there is no tag {quote(name)}{hint}"
        elif problem := check(value):
            yield f"{name}={quote(value)} {problem}"
    if "p" not in seen:
        yield "the tag p is missing: p=none, p=quarantine or p=reject"
    elif seen[0] != "p":
        yield "the tag p must come right after v=DMARC1"


def _one_of(*words: str) -> Callable[[str], str]:
    return lambda value: "" if value.lower() in words else f"must be {' or '.join(words)}"


def _number(maximum: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        is_number = re.fullmatch("[0-9]{1,10}", value) and int(value) <= maximum
        return "" if is_number else f"must be a whole number from 0 to {maximum}"

    return check


def _options(value: str) -> str:
    ok = all(option.strip().lower() in {"0", "1", "d", "s"} for option in value.split(":"))
    return "" if ok else "must be of 0, 1, d and s, with colons between"


def _uris(value: str) -> str:
    for uri in value.split(","):
        try:
            parts = urlsplit(_SIZE.sub("", uri.strip(" \t")))
        except ValueError:
            return f"has an unusable URI, {quote(uri)}"
        if not parts.scheme or (
            parts.scheme == "mailto" and not re.fullmatch(r"[^@\s!]+@[^@\s!]+", parts.path)
        ):
            return f"must list URIs such as mailto:dmarc@example.com, not {quote(uri.strip())}"
    return ""


_TAGS: dict[str, Callable[[str], str]] = {
    "p": _one_of(*_POLICIES),
    "sp": _one_of(*_POLICIES),
    "np": _one_of(*_POLICIES),
    "adkim": _one_of("r", "s"),
    "aspf": _one_of("r", "s"),
    "fo": _options,
    "pct": _number(100),
    "psd": _one_of("y", "n", "u"),
    "rf": _one_of("afrf"),
    "ri": _number(2**32 - 1),
    "rua": _uris,
    "ruf": _uris,
    "t": _one_of("y", "n"),
}
