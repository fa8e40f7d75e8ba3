"""The guide to the site names every key, default and rule."""

import re
from pathlib import Path

import pytest

from gslb.config import forms
from gslb.config.durations import parse_duration
from gslb.config.loader import _SECTIONS
from gslb.config.policies import STEPS
from gslb.model.rules import RULES
from gslb.model.site import (
    Endpoint,
    LoadSettings,
    Member,
    Monitor,
    Pool,
    ResolverSettings,
    SteeredName,
    StickyStep,
)

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "guide" / "site.md").read_text(encoding="utf-8")
KINDS = ("pop", "monitor", "pool", "policy", "name", "check")


def test_every_key_is_documented():
    every = [form for name, form in vars(forms).items() if name.endswith("Form")]
    assert every
    keys = {key for form in every for key in form.__annotations__} | set(_SECTIONS) | set(STEPS)
    assert [key for key in sorted(keys) if not re.search(rf"`[^`\n]*\b{key}\b[^`\n]*`", GUIDE)] == []


@pytest.mark.parametrize(
    "model", [Monitor, Endpoint, Member, Pool, StickyStep, ResolverSettings, LoadSettings, SteeredName]
)
def test_defaults_are_the_real_ones(model):
    documented = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", GUIDE, re.MULTILINE))
    checked = 0
    for key, field in model.model_fields.items():
        if key in documented and not field.is_required():
            default = field.default[0] if isinstance(field.default, tuple) else field.default
            if key.endswith("_ttl") or (isinstance(default, float) and key not in ("jitter", "hysteresis")):
                assert parse_duration(documented[key]) == default
            else:
                assert documented[key] == str(default).lower()
            checked += 1
    assert checked


def test_every_rule_is_documented_and_no_other():
    used = set()
    sources = {*(ROOT / "gslb").rglob("*.py"), *(ROOT / "dataplane/core/src/zone").rglob("*.rs")}
    sources.remove(ROOT / "gslb/model/rules.py")
    for source in sources:
        text = source.read_text(encoding="utf-8")
        used |= set(re.findall(r'"((?:site|zone|geo)-[a-z-]+)"', text))
        for prefix in re.findall(r'f"(site-[a-z]+-)\{kind\}"', text):
            used |= {prefix + kind for kind in KINDS}
    used -= {"site-unknown-name", "site-unused-name", "site-unused-check"}  # nothing refers to names
    used -= {"site-does-not-load"}  # a problem type of the API
    documented = dict(re.findall(r"^\| `((?:site|zone|geo)-[a-z-]+)` \| (\w+) \|", GUIDE, re.MULTILINE))
    assert documented == {rule: severity.value for rule, severity in RULES.items()}
    assert documented.keys() == used
