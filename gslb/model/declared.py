"""The base of everything that a site declares in YAML."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Declared(BaseModel):
    """Base of everything declared in YAML: frozen, strict about unknown keys, aware of its place."""

    model_config = ConfigDict(frozen=True, extra="forbid")
