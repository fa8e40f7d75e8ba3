"""ALIAS targets outside the zones served here: resolved in the background, never while a query waits."""
