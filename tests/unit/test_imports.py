"""Imports run one way, in Python and in Rust: nothing imports its own line of these lists, or a lower one.

Imports for type checking and within functions count like any other.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PYTHON = (
    ("model", "_dataplane"),
    ("errors",),
    ("config", "telemetry", "systemd", "descriptors"),
    ("zones", "steering", "health", "aliases", "importers"),
    ("store", "policy_tests", "affected_tests", "compile"),
    ("prepare",),
    ("publish",),
    ("operations",),
    ("api", "watch"),
    ("server",),
    ("cli",),
)

RUST = (
    ("memory",),
    ("wire", "geo", "observe"),
    ("zone", "steer"),
    ("publish",),
    ("respond",),
    ("explain", "serve"),
    ("python",),
)

_RUST_TEST = re.compile(r"#\[cfg\(test\)\](?:\s*#\[[^\n]*\])*\s*(?:pub )?mod (\w+)\s*([;{])")
_RUST_GROUP = re.compile(r"\b(?:crate|gslb_core)::\{")
_RUST_SUPER = re.compile(r"\b(?:super::)+")
_RUST_PATH = re.compile(r"\b(?:crate|gslb_core)::(\w+)")


def level_of(part: str, order: tuple[tuple[str, ...], ...]) -> int:
    for level, parts in enumerate(order):
        if part in parts:
            return level
    raise AssertionError(f"{part} has no place in the order of imports: give it one in {Path(__file__).name}")


def violations(imports: set[tuple[str, str]], order: tuple[tuple[str, ...], ...]) -> list[str]:
    """Those of the (importer, imported) that are not from a lower line to a higher one."""
    return sorted(
        f"{importer} imports {imported}"
        for importer, imported in imports
        if importer != imported and level_of(importer, order) <= level_of(imported, order)
    )


def python_imports(source: str, package: str) -> set[str]:
    """The parts of gslb that a module of ``package`` (such as ``gslb.config``) imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            modules = [f"{module}.{alias.name}" for alias in node.names] if module == "gslb" else [module]
        found.update(name.split(".")[1] for name in modules if name.startswith("gslb."))
    return found


def rust_imports(source: str, depth: int) -> set[str]:
    """The modules of the core that a Rust file names by their path, in ``use`` or elsewhere, but for tests.

    ``depth`` is how many times ``super`` leads from the file's module to the root of the crate.
    """
    text = re.sub(r"//[^\n]*", "", without_rust_tests(source))
    text = _RUST_SUPER.sub(lambda path: "crate::" if path[0].count("super") == depth else path[0], text)
    found = set(_RUST_PATH.findall(text))
    for group in _RUST_GROUP.finditer(text):
        found.update(group_heads(text[group.end() :]))
    return {name for name in found if name != "self"}


def group_heads(text: str) -> set[str]:
    """The first names of ``a::b, c::{d, e}} …``, up to the brace that closes the group."""
    heads, depth, start = set(), 0, 0
    for at, character in enumerate(text):
        if character == "{":
            depth += 1
        elif character in ",}" and depth == 0:
            heads.add(text[start:at].partition("::")[0].strip())
            start = at + 1
            if character == "}":
                break
        elif character == "}":
            depth -= 1
    return {head for head in heads if head}


def without_rust_tests(source: str) -> str:
    """A Rust file without its inline test modules, which stand at its end."""
    for test in _RUST_TEST.finditer(source):
        if test[2] == "{":
            return source[: test.start()]
    return source


def rust_test_files(directory: Path) -> set[Path]:
    """Files and directories that are test modules."""
    found = set()
    for file in directory.rglob("*.rs"):
        home = file.parent if file.name in ("mod.rs", "lib.rs") else file.with_suffix("")
        for test in _RUST_TEST.finditer(file.read_text()):
            if test[2] == ";":
                found |= {home / f"{test[1]}.rs", home / test[1]}
    return found


def test_python_imports_run_one_way():
    imports = set()
    for file in (ROOT / "gslb").rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        if parts[1:] != ("__init__",):
            package = ".".join(parts[:-1])
            imports |= {(parts[1], imported) for imported in python_imports(file.read_text(), package)}
    assert ("publish", "zones") in imports
    assert violations(imports, PYTHON) == []


def test_rust_imports_run_one_way():
    imports = set()
    core = ROOT / "dataplane/core/src"
    tests = rust_test_files(core)
    assert tests
    for file in core.rglob("*.rs"):
        if tests.isdisjoint([file, *file.parents]) and file.name != "lib.rs":
            module = [part for part in file.relative_to(core).with_suffix("").parts if part != "mod"]
            imports |= {(module[0], imported) for imported in rust_imports(file.read_text(), len(module))}
    for file in (ROOT / "dataplane/python/src").rglob("*.rs"):
        text = file.read_text().replace("crate::", "self::")
        imports |= {("python", imported) for imported in rust_imports(text, 0)}
    assert imports >= {("respond", "steer"), ("python", "publish")}
    assert violations(imports, RUST) == []


def test_the_core_knows_nothing_of_python():
    for file in [*(ROOT / "dataplane/core/src").rglob("*.rs"), ROOT / "dataplane/core/Cargo.toml"]:
        assert "pyo3" not in re.sub(r"(//|#)[^\n]*", "", file.read_text()), file


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from gslb.api.app import build_app", {"api"}),
        ("from gslb import server", {"server"}),
        ("import gslb.store.store as s, os", {"store"}),
        ("if TYPE_CHECKING:\n    from gslb.publish import Publisher", {"publish"}),
        ("def f():\n    from gslb.cli import main", {"cli"}),
        ("from .wording import quote", {"config"}),
        ("from ..api.app import build_app", {"api"}),
        ("from ..publish import Publisher", {"publish"}),
        ("import dns.name\nfrom gslbx import api", set()),
    ],
)
def test_python_imports_are_found(source, found):
    assert python_imports(source, "gslb.config") == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("use crate::wire::Name;", {"wire"}),
        ("pub(crate) use crate::{wire::{Name, rtype}, zone};", {"wire", "zone"}),
        ("use gslb_core::steer::{Steering, model};", {"steer"}),
        ("fn f() { crate::respond::answer() }", {"respond"}),
        ("// use crate::serve::x", set()),
        ("use crate::geo;\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n use crate::serve; }", {"geo"}),
        ("#[cfg(test)]\nmod tests;\nuse crate::geo;", {"geo"}),
        ("use super::mmsg::receive;", set()),
        ("use super::super::wire::{Name};", {"wire"}),
    ],
)
def test_rust_imports_are_found(source, found):
    assert rust_imports(source, 2) == found


def test_imports_against_the_order_are_violations():
    assert violations({("config", "publish")}, PYTHON) == ["config imports publish"]
    assert violations({("zones", "steering")}, PYTHON) == ["zones imports steering"]
    assert violations({("wire", "zone"), ("zone", "wire")}, RUST) == ["wire imports zone"]
    assert violations({("cli", "model"), ("api", "api")}, PYTHON) == []
    with pytest.raises(AssertionError, match="has no place"):
        violations({("new", "model")}, PYTHON)
