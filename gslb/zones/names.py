"""Domain names as requests have them: any name that the DNS allows, escapes too (RFC 1035 section 5.1).

What a site may be named after and what it may steer is narrower: see ``gslb/config/names.py``.

dnspython's names are imported when they are first used, since that takes long: no start needs them.
"""

from __future__ import annotations

from gslb.config.wording import quote


def read_name(text: str, origin: str = ".") -> str:
    """The form that zones and names are keyed by: absolute, lower case, with a final dot.

    ``origin`` completes a relative name; ``@`` is the origin itself. Raises ValueError.
    """
    import dns.exception  # noqa: PLC0415
    import dns.name  # noqa: PLC0415

    try:
        return dns.name.from_text(text, dns.name.from_text(origin)).canonicalize().to_text()
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(f"{quote(text)} is not a domain name: {error}") from error


def is_within(name: str, origin: str) -> bool:
    """Whether ``name`` is ``origin`` or below it. Both are as ``read_name`` gives them."""
    import dns.name  # noqa: PLC0415

    return dns.name.from_text(name).is_subdomain(dns.name.from_text(origin))
