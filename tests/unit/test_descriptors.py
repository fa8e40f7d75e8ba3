"""How descriptors are shared out."""

import resource

import pytest

from gslb import descriptors


@pytest.mark.parametrize(
    ("limit", "streams"), [(1_000_000, 1000), (2_000, 1000), (1024, 512), (64, 32), (1, 1)]
)
def test_streams_get_at_most_half(limit, streams):
    assert descriptors.streams_for(limit) == streams


def limits(monkeypatch, soft, hard, *, refuse=False):
    asked = []

    def setrlimit(_, wanted):
        asked.append(wanted)
        if refuse:
            raise ValueError("not permitted")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    return asked


def test_the_soft_limit_is_raised_to_the_hard_one(monkeypatch):
    asked = limits(monkeypatch, 1024, 20_000)
    assert descriptors.raise_limit() == 20_000
    assert asked == [(20_000, 20_000)]


def test_a_limit_that_cannot_be_raised_is_lived_with(monkeypatch):
    limits(monkeypatch, 1024, 20_000, refuse=True)
    assert descriptors.raise_limit() == 1024


def test_no_limit_is_a_large_one(monkeypatch):
    limits(monkeypatch, resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert descriptors.raise_limit() >= descriptors.ENOUGH
