"""Durable state: intents and changes, in SQLite."""
