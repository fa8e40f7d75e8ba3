"""The language of gdnsd's files."""

from __future__ import annotations

import re

import pytest

from gslb.importers.gdnsd.vscf import Array, Hash, Text, VscfError, parse, read_file


def plain(value):
    if isinstance(value, Text):
        return value.text
    if isinstance(value, Array):
        return [plain(item) for item in value.items]
    return {key: plain(item) for key, item in value.values.items()}


def test_three_ways_of_writing_the_same():
    same = {"options": {"listen": ["192.0.2.1", "192.0.2.2"]}}
    for text in (
        "options = {\n listen = [ 192.0.2.1, 192.0.2.2 ],\n}",
        '"options" => { listen => [ 192.0.2.1 192.0.2.2 ] } # end',
        "options={listen=[192.0.2.1 192.0.2.2]};end",
    ):
        assert plain(parse(text)) == same


def test_strings_are_quoted_and_escaped():
    for text, value in (
        ("example", "example"),
        ('"ex\\097mpl\\e"', "example"),
        ("ex\\097mpl\\e", "example"),
        ('internal\\"doublequote', 'internal"doublequote'),
        ("white\\ space", "white space"),
        ("\\\\\\=\\=\\=", "\\==="),
        ("braces\\{every\\[where\\]oh\\}my", "braces{every[where]oh}my"),
        ('"two\nlines"', "two\nlines"),
        ("%multifo!web", "%multifo!web"),
        ("2001:DB8::/32", "2001:DB8::/32"),
    ):
        assert plain(parse(f"key => {text}")) == {"key": value}


def test_values_know_where_they_stand():
    found = parse("a => 1\n\nb => { # x\n c => [ 2\n 3 ] }\n", "config")
    assert isinstance(found, Hash)
    inner = found.values["b"]
    assert isinstance(inner, Hash)
    assert (found.place_of("b").line, inner.place_of("c").line) == (3, 4)
    listed = inner.values["c"]
    assert isinstance(listed, Array)
    assert [item.place.line for item in listed.items] == [4, 5]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a => ", 1, "the end of the file where a value"),
        ("a b", 1, "where '=>' after the key 'a'"),
        ("a => 1\na => 2", 2, "already stands at config:1"),
        ('\na => "x', 2, "is no value"),
        ("a => $x", 1, "is no value"),
        ("a => [1", 1, "where a value should be"),
        ("a => \\2x", 1, "is no escape"),
        ("a => \\999", 1, "is no escape"),
        ("x => { a => b", 1, "a key or '}'"),
        ("a => " + "[" * 100, 1, "nested more than 64 deep"),
        ("a => $include{", 1, "lacks its path"),
        ("[1] 2", 1, "where the end of the file"),
    ],
)
def test_mistakes_are_told_with_their_line(text, line, message):
    with pytest.raises(VscfError, match=re.escape(message)) as error:
        parse(text)
    assert error.value.place.line == line


def test_files_are_included(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "one").write_text("a => 1")
    (tmp_path / "parts" / "two").write_text("b => [ $include{../list} ]")
    (tmp_path / "list").write_text("[ x, y ]")
    (tmp_path / "empty").mkdir()
    (tmp_path / "config").write_text(
        'whole => $include{ "parts/one" }\n$include{parts/*} $include{empty}\nall => { $include{parts} }'
    )
    assert plain(read_file(tmp_path / "config")) == {
        "whole": {"a": "1"},
        "a": "1",
        "b": [["x", "y"]],
        "all": {"a": "1", "b": [["x", "y"]]},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$include{none/*}", "no file matches"),
        ("$include{none}", "cannot be read"),
        ("a => $include{loop}", "include one another"),
        ("$include{list}", "is an array"),
        ("a => $include{many}", "exactly one file"),
    ],
)
def test_includes_that_cannot_be(tmp_path, text, message):
    (tmp_path / "loop").write_text("a => $include{loop}")
    (tmp_path / "list").write_text("[ x ]")
    (tmp_path / "many").mkdir()
    (tmp_path / "config").write_text(text)
    with pytest.raises(VscfError, match=message):
        read_file(tmp_path / "config")
