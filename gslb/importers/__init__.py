"""Conversion of other servers' configurations to sites."""
