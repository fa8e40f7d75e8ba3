"""Sites written for one test and checked with the native reader."""

from gslb.zones.site import inspect_site

SOA = "@ SOA ns1.dns.test. hostmaster 1 7200 1800 1209600 300\n"
APEX = "$TTL 300\n" + SOA + "@ NS ns1.dns.test.\n@ NS ns2.dns.test.\n"


class Site:
    """Zones by origin (``APEX`` comes first unless they have an SOA), and YAML."""

    def __init__(self, directory):
        self.directory = directory

    def check(self, zones, yaml="", **options):
        """Findings as ``rule file:line``; messages are kept in ``messages``."""
        for origin, text in zones.items():
            whole = text if " SOA " in text else APEX + text
            (self.directory / f"{origin}.zone").write_text(whole, encoding="utf-8")
        (self.directory / "site.yaml").write_text(yaml, encoding="utf-8")
        self.inspected = inspect_site(self.directory, **options)
        self.messages = "\n".join(str(finding) for finding in self.inspected.findings)
        return [
            f"{one.rule} {one.place.file.removesuffix('.zone')}:{one.place.line}"
            for one in self.inspected.findings
        ]

    def check_one(self, text, yaml=""):
        """Findings of the zone example.com as ``rule line``, the line counted after the apex."""
        found = self.check({"example.com": text}, yaml)
        return [one.replace("example.com:", "") for one in found]
