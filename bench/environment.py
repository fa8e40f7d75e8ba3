"""The environment that gslb is deployed with."""

from __future__ import annotations

import os
from pathlib import Path

UNIT = Path(__file__).resolve().parent.parent / "deploy" / "systemd" / "gslb.service"


def unit_environment() -> dict[str, str]:
    """This process's environment, and what the systemd unit sets: what is measured is what is deployed."""
    lines = UNIT.read_text().splitlines()
    settings = [line.removeprefix("Environment=") for line in lines if line.startswith("Environment=")]
    return {**os.environ, **dict(setting.split("=", 1) for setting in settings)}
