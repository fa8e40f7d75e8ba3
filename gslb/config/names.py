"""Names: owner names in the DNS, and the identifiers of POPs, pools, policies and monitors."""

from __future__ import annotations

import re

from gslb.config.wording import quote

MAXIMUM_NAME_LENGTH = 253
"""Characters of a name without its final dot: 255 octets on the wire (RFC 1035 section 2.3.4)."""

_LABEL_WITH_DOT = re.compile(r"(?:[^.\\]|\\.)+\.", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_IDENTIFIER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62})")


def parse_owner_name(text: str) -> str:
    """The absolute, lower-case form of a name. Raises ValueError.

    A leading ``*`` label is allowed (RFC 4592 section 2.1.1).
    """
    name = text.lower().removesuffix(".")
    if not name or len(name) > MAXIMUM_NAME_LENGTH:
        raise ValueError(
            f"{quote(text)} is no domain name; it must have 1 to {MAXIMUM_NAME_LENGTH} characters"
        )
    labels = name.split(".")
    for label in labels[1:] if labels[0] == "*" and len(labels) > 1 else labels:
        if not _LABEL.fullmatch(label):
            raise ValueError(
                f"{quote(text)} is no domain name; the label {quote(label)} must be 1 to 63 letters, digits, "
                "hyphens or underscores, with no hyphen at its ends (write non-ASCII names as xn--...)"
            )
    return name + "."


def parse_identifier(text: str) -> str:
    """A name for a POP, pool, policy or monitor. Raises ValueError."""
    if not _IDENTIFIER.fullmatch(text):
        raise ValueError(
            f"{quote(text)} is no usable name; use 1 to 63 letters, digits, '.', '_' and '-', "
            "beginning with a letter or digit"
        )
    return text


def parent_names(name: str) -> list[str]:
    """``name`` and every name above it, longest first, the root (``.``) last.

    ``name`` ends with a dot, and is in presentation format: a dot that is escaped is part of its label.
    """
    if "\\" in name:
        return [*(name[label.start() :] for label in _LABEL_WITH_DOT.finditer(name)), "."]
    names = [name]
    while name != ".":
        name = name.partition(".")[2] or "."
        names.append(name)
    return names


def wildcard_below(name: str) -> str:
    """The wildcard that answers for names below ``name``, which ends with a dot (RFC 4592 section 2.1.1)."""
    return "*." if name == "." else f"*.{name}"
