"""Probes, thresholds and their schedule."""
