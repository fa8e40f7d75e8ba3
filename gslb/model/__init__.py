"""Frozen types that the rest of the control plane shares. They import nothing but ``gslb.errors``."""
