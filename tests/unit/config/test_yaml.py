"""YAML with positions."""

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gslb.config import yaml as subject
from gslb.config.yaml import Position, parse, resolve_scalar

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def loader(request):
    return request.param


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("010", "010"),
        ("0o10", "0o10"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("0", 0),
        ("-7", -7),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("10s", "10s"),
        ("9" * 5000, "9" * 5000),
        ("=", "="),
    ],
)
def test_plain_scalars_follow_yaml_1_2(loader, text, value):
    document, problems = parse(f"key: {text}\n", loader)
    assert not problems
    assert document.value == {"key": value}
    assert type(document.value["key"]) is type(value)


def test_quoted_and_tagged_scalars_are_text(loader):
    document, _ = parse("a: '1'\nb: \"true\"\nc: !!str 2\nd: ! 3\n", loader)
    assert document.value == {"a": "1", "b": "true", "c": "2", "d": "3"}


def test_keys_are_text_as_written(loader):
    document, _ = parse("64500: a\nNO: b\n1.0: c\ntrue: d\n", loader)
    assert list(document.value) == ["64500", "NO", "1.0", "true"]


def test_positions_of_keys_and_values(loader):
    document, _ = parse("a: 1\nb:\n  - x\n  - {c: é, d: 2}\n", loader)
    assert document.positions[("a",)] == Position(1, 4)
    assert document.positions.key(("b",)) == Position(2, 1)
    assert document.positions[("b", 0)] == Position(3, 5)
    assert document.positions[("b", 1, "d")] == Position(4, 15)
    assert document.positions.key(("b", 1, "d")) == Position(4, 12)
    assert document.positions[("b", 7, "nowhere")] == document.positions[("b",)]
    assert list(document.positions) == [(), ("a",), ("b",), ("b", 0), ("b", 1), ("b", 1, "c"), ("b", 1, "d")]


def test_duplicate_keys_cite_both_places_and_the_first_counts(loader):
    document, problems = parse("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n", loader)
    assert document.value == {"a": 1, "b": {"c": 1}}
    assert [(p.position.line, p.earlier.line) for p in problems] == [(4, 3), (5, 1)]


def test_aliases_share_a_value_and_point_into_its_anchor(loader):
    document, problems = parse("a: &x\n  k: 1\nb: *x\n", loader)
    assert not problems
    assert document.value == {"a": {"k": 1}, "b": {"k": 1}}
    assert document.positions[("b",)] == Position(3, 4)
    assert document.positions[("b", "k")] == Position(2, 6)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: [\n", None, "node"),
        ("a:\n\t- b\n", 2, "token"),
        ("a: *b\n", 1, "no anchor &b"),
        ("a: &b [*b]\n", 1, "within its own anchor"),
        ("x: 1\n---\ny: 2\n", 2, "second document"),
        ("a: !!python/object/apply:os.system [x]\n", 1, "not allowed"),
        ("a: !!int 1\n", 1, "not allowed"),
        ("b: 1\n<<: {a: 1}\n", 2, "merge keys"),
        ("? [a]\n: 1\n", 1, "plain text"),
        ("&k a: 1\n", 1, "anchor"),
        ("a: 1\né: \x07\n", 2, "'\\x07'"),
        ("k" * 1100 + ": 1\n", None, ""),
        ("[" * 100_000, 1, "nested deeper"),
    ],
)
def test_unusable_documents_give_one_problem(loader, text, line, words):
    document, problems = parse(text, loader)
    assert document is None
    assert len(problems) == 1
    assert words in problems[0].message
    if line is not None:
        assert problems[0].position.line == line


def test_position_of_a_forbidden_character_counts_characters(loader):
    _, problems = parse("a: 1\né: x\x07\n", loader)
    assert problems[0].position == Position(2, 5)


def test_alias_bomb_is_refused_before_it_expands(loader):
    bomb = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 12):
        bomb += f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]\n"
    document, problems = parse(bomb, loader)
    assert document is None
    assert "more than" in problems[0].message


def test_too_large_a_file(monkeypatch):
    monkeypatch.setattr(subject, "MAXIMUM_OCTETS", 10)
    document, problems = parse("a: 12345678901\n")
    assert document is None
    assert "larger" in problems[0].message


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "null\n"])
def test_empty_documents(loader, text):
    document, problems = parse(text, loader)
    assert document.value is None
    assert not problems


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.text(max_size=12)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def _equal(left, right):
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, float) or isinstance(right, float):
        return math.isclose(float(left), float(right))
    return type(left) is type(right) and left == right


class Quoting(yaml.SafeDumper):
    """Quotes all text, so that the value does not depend on a schema."""


Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar(subject._TEXT_TAG, text, style='"'))


@given(VALUES, st.booleans())
def test_what_is_written_is_read(value, flow):
    text = yaml.dump(
        value, Dumper=Quoting, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=1000
    )
    if any(len(key) > subject.MAXIMUM_KEY_LENGTH for key in value) if isinstance(value, dict) else False:
        return
    for loader in LOADERS:
        document, problems = parse(text, loader)
        assert not problems
        assert _equal(document.value, value)


@given(VALUES)
def test_every_position_points_at_the_start_of_its_token(value):
    text = yaml.dump(value, Dumper=Quoting, default_flow_style=False, sort_keys=False, width=1000)
    lines = text.split("\n")
    document, _ = parse(text)
    for path in document.positions:
        for position in (document.positions[path], document.positions.key(path)):
            assert 1 <= position.line <= len(lines)
            assert 1 <= position.column <= len(lines[position.line - 1]) + 1
        if path and isinstance(path[-1], str):
            position = document.positions.key(path)
            assert lines[position.line - 1][position.column - 1] in '"?'


@given(st.text())
def test_any_text_gives_a_document_or_problems(text):
    for loader in LOADERS:
        document, problems = parse(text, loader)
        assert document is not None or problems


@given(st.text(alphabet="0123456789.eE+-", max_size=20))
def test_scalars_are_finite_numbers_or_text(text):
    value = resolve_scalar(text)
    assert value is None or isinstance(value, str) or math.isfinite(value)
