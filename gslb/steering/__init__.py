"""Policies to the steering document; observed health and intent to verdicts."""
