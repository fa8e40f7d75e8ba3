from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from gslb.cli.explain import outline
from gslb.cli.output import clean

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=30,
)


@given(documents)
def test_every_word_of_any_document_is_in_its_outline(document):
    text = "\n".join(outline(document))

    def words(value):
        if isinstance(value, dict):
            for inner in value.values():
                yield from words(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from words(inner)
        elif isinstance(value, str | int) and not isinstance(value, bool):
            yield str(value)

    for word in words(document):
        assert word in text


def test_a_document_nested_too_deep_ends_in_an_ellipsis():
    document = json.loads("[" * 200 + "]" * 200)
    assert list(outline(document))[-1].strip() == "…"


def test_long_lists_get_a_line_each():
    assert list(outline({"a": ["x" * 60, "y" * 60]})) == ["a:", f"  1. {'x' * 60}", f"  2. {'y' * 60}"]


@given(st.text())
def test_clean_text_is_printable(text):
    assert clean(text).isprintable()
