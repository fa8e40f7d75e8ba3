"""Zones: found in the site directory, read, checked, planned."""
