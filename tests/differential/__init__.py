"""Seeded random zones and queries, answered by gslb and by NSD, Knot and BIND, compared part by part."""
