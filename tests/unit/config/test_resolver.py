"""The key ``resolver``."""

from ipaddress import ip_address

import pytest

from gslb.model.finding import Place
from gslb.model.site import Nameserver, ResolverSettings


def test_settings(site, good):
    text = """\
resolver:
  nameservers: [192.0.2.53, "192.0.2.54:5353", "2001:db8::53", "[2001:db8::54]:54", "[2001:db8::55]"]
  timeout: 500ms
  min_ttl: 1m
  max_ttl: 120
  stale: 1h
"""
    site.write("site.yaml", good).write("resolver.yaml", text).load()
    assert site.findings == ()
    servers = [
        ("192.0.2.53", 53),
        ("192.0.2.54", 5353),
        ("2001:db8::53", 53),
        ("2001:db8::54", 54),
        ("2001:db8::55", 53),
    ]
    assert site.config.resolver == ResolverSettings(
        nameservers=tuple(Nameserver(address=ip_address(host), port=port) for host, port in servers),
        timeout=0.5,
        min_ttl=60,
        max_ttl=120,
        stale=3600,
        place=Place("resolver.yaml", 1, 1),
    )


def test_one_name_server_needs_no_list_and_the_rest_has_defaults(site, good):
    resolver = site.write("site.yaml", good + "resolver: {nameservers: 192.0.2.53}\n").load().config.resolver
    assert (resolver.timeout, resolver.min_ttl, resolver.max_ttl, resolver.stale) == (2, 30, 3600, 86400)


@pytest.mark.parametrize(
    ("settings", "rule", "part"),
    [
        ("{nameservers: 192.0.2.53, time_out: 1s}", "site-unknown-key", "did you mean 'timeout'?"),
        ("{timeout: 1s}", "site-missing-key", "nameservers"),
        ("{nameservers: []}", "site-invalid-value", "1 to 16 name servers"),
        ("{nameservers: [192.0.2.53, '192.0.2.53:53']}", "site-invalid-value", "'192.0.2.53' twice"),
        ("{nameservers: 192.0.2.53, min_ttl: 2h}", "site-invalid-value", "must not be more than its max_ttl"),
        ("{nameservers: 192.0.2.53, min_ttl: 0}", "site-invalid-value", "whole seconds from 1"),
        ("{nameservers: 192.0.2.53, timeout: 1m}", "site-invalid-value", "from 100ms to 30s"),
        ("192.0.2.53", "site-invalid-value", "must be a mapping"),
        *(
            (f"{{nameservers: '{server}'}}", "site-invalid-value", "must list addresses")
            for server in ("dns.test", "192.0.2.53:0", "192.0.2.53:65536", "[192.0.2.53", "0.0.0.0", "[::1]:")
        ),
    ],
)
def test_mistakes(site, good, settings, rule, part):
    site.write("site.yaml", good).write("a.yaml", f"resolver: {settings}\n").load()
    assert site.rules() == [(rule, "a.yaml:1")]
    assert part in site.messages(rule)[0]


def test_a_site_has_one_resolver(site, good):
    text = "resolver: {nameservers: 192.0.2.53}\n"
    site.write("site.yaml", good).write("a.yaml", text).write("b.yaml", text).load()
    assert site.rules() == [("site-duplicate-setting", "b.yaml:1")]
    assert "a.yaml:1" in site.messages("site-duplicate-setting")[0]
