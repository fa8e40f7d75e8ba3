"""Domain names as requests have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gslb.zones.names import is_within, read_name


@pytest.mark.parametrize(
    ("text", "origin", "name"),
    [
        ("Example.COM", ".", "example.com."),
        (".", ".", "."),
        ("@", "Example.com.", "example.com."),
        ("WWW", "example.com.", "www.example.com."),
        ("www.other.", "example.com.", "www.other."),
        (r"a\.", "example.com.", r"a\..example.com."),
        (r"a\066", "example.com.", "ab.example.com."),
    ],
)
def test_names_are_absolute_and_lower_case(text, origin, name):
    assert read_name(text, origin) == name


@pytest.mark.parametrize("text", ["a..b", "x" * 300, "\ud800", ".".join(["a" * 63] * 4)])
def test_what_is_no_name_is_refused_printably(text):
    with pytest.raises(ValueError, match="is not a domain name") as caught:
        read_name(text)
    assert str(caught.value).isprintable()


@given(st.text(max_size=40))
def test_any_text_is_a_name_that_reads_as_itself_or_refused(text):
    try:
        name = read_name(text, "example.com.")
    except ValueError:
        return
    assert read_name(name) == name


def test_names_are_within_themselves_and_what_is_above():
    assert is_within("a.b.", "b.")
    assert is_within("b.", "b.")
    assert is_within("b.", ".")
    assert not is_within("ab.", "b.")
    assert not is_within("b.", "a.b.")
