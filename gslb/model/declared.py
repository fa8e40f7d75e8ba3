"""The base of everything that a site declares in YAML."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Declared(BaseModel):
    """Base of everything declared in YAML: frozen, strict about unknown keys, aware of its place.

    Validators are made when first used. What is made of values known to be good uses ``model_construct``: a
    server of zones alone answers before any validator is made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
