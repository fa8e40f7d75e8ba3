"""Made-up zones, files and queries, held against another reading of the same rules."""
