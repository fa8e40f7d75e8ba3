"""gslb: an authoritative DNS server that steers every client to the right POP."""
