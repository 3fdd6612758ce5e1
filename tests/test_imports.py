"""Who imports whom: in one direction alone, and never what the user did not install."""

import ast
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from sispy.cli.root import COMMANDS
from sispy.sandbox.__main__ import FILTERS

OPTIONAL = {
    "anywidget",
    "dask",
    "distributed",
    "msgspec",
    "openpyxl",
    "pyarrow",
    "python_calamine",
    "uvicorn",
    "xlsxwriter",
}


def source(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_import_sispy_needs_neither_pandas_nor_the_sandbox():
    loaded = modules_after("import sispy, sispy.cli")

    late = {"pandas", "numpy", "sispy_pandas", "tqdm", "ipywidgets", "diff_match_patch"}
    assert loaded & (OPTIONAL | late) == set()


WIDGETS = {"FrameEditor", "PlanReview", "SchemaBrowser"}
ALL_ELSE = f"import sispy_pandas as sp; [getattr(sp, name) for name in {{*sp.__all__}} - {WIDGETS}]"


def test_names_of_sispy_pandas_are_imported_when_they_are_used():
    late = {"pandas", "numpy", "requests", "ipywidgets"}

    assert modules_after("import sispy_pandas") & (OPTIONAL | late) == set()
    assert modules_after("import sispy_pandas as sp; sp.parse_schema") & (late - {"numpy"}) == {"pandas"}


def test_names_of_sispy_pandas_load_no_extra():
    assert modules_after(ALL_ELSE) & (OPTIONAL - {"pyarrow"}) == set()  # pandas imports it


def test_widgets_are_imported_when_they_are_used():
    assert "ipywidgets" not in modules_after(f"{ALL_ELSE}; import sispy_pandas.commands.schemas")
    assert "ipywidgets" in modules_after("from sispy_pandas import *")


HELP = """
import contextlib, io, sys
from sispy.cli import main
with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
    main([{name!r}, "--help"])
assert "Usage:" in said.getvalue()
"""


def test_help_of_a_command_comes_without_pandas():
    late = {"pandas", "numpy", "pyarrow", "requests", "portalocker"}
    loaded = {name: modules_after(f"exec({HELP.format(name=name)!r})") & late for name in COMMANDS}

    assert {name: modules for name, modules in loaded.items() if modules} == {}


def test_type_checkers_and_python_know_the_same_names():
    stub = source("sispy_pandas") / "__init__.pyi"
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    names = [alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    public = import_module("sispy_pandas")

    assert sorted(names) == public.__all__ == dir(public)
    assert {name for name in names if getattr(public, name, None) is None} == set()


def test_both_packages_and_the_command_line_work_without_any_extra():
    hidden = f"import sys; sys.modules.update(dict.fromkeys({sorted(OPTIONAL)}))"

    modules_after(f"{hidden}; {ALL_ELSE}; import sispy, sispy.cli, sispy_pandas.commands.plan")


def test_sispy_never_imports_sispy_pandas():
    guilty = {
        path.name
        for path in source("sispy").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(n.name.startswith("sispy_pandas") for n in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sispy_pandas"))
    }

    assert guilty == set()


def test_what_sispy_names_by_a_text_is_there():
    commands = {name: module for name, (module, _) in COMMANDS.items()}

    assert {name for name, module in commands.items() if find_spec(module) is None} == set()
    assert callable(import_module(FILTERS).query_of)


@pytest.mark.parametrize("package", ["sispy", "sispy.sandbox", "sispy_pandas", "sispy_pandas.widgets"])
def test_init_files_are_short_lists_of_sorted_names(package):
    text = (source(package) / "__init__.py").read_text(encoding="utf-8")
    assigned = [
        ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "__all__"
    ]
    architecture = ast.get_docstring(ast.parse(text), clean=False) or ""

    assert len(text.splitlines()) - len(architecture.splitlines()) <= 60
    assert all(names == sorted(names) for names in assigned)


def named(node: ast.AST, name: str, package: str, known: dict[str, str]) -> set[str]:
    """Return which of the known modules, by their dotted names, a statement of one of them imports."""
    if isinstance(node, ast.Import):
        return {known[alias.name] for alias in node.names if alias.name in known}
    if not isinstance(node, ast.ImportFrom):
        return set()
    above = f"{package}.{name}".split(".")[: -node.level or None] if node.level else []
    base = ".".join([*above, *((node.module or "").split(".") if node.module else [])])
    meant = (whole if (whole := f"{base}.{alias.name}") in known else base for alias in node.names)
    return {known[full] for full in meant if full in known}


def reached(edges: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        new = edges.get(todo.pop(), set()) - seen
        seen |= new
        todo += new
    return seen


FLOORS = {
    "sispy": (
        ("text", "encoding", "remedies", "patterns"),
        ("errors", "delta"),
        ("rules", "token_command"),
        ("config", "failures", "response"),
        ("http", "paging"),
        ("transport",),
        ("connection",),
        ("reading",),
        ("commits",),
        ("client",),
        ("__init__", "endpoint"),
        ("cli",),
        ("sandbox",),
        ("pytest_plugin", "__main__"),
    ),
    "sispy.sandbox": (
        ("js",),
        ("mongoose",),
        ("mongo",),
        ("sis",),
        ("web",),
        ("copying", "samples"),
        ("server",),
        ("__init__", "__main__"),
    ),
    "sispy_pandas": (
        ("values",),
        ("reading", "formats"),
        ("planning",),
        ("pushing",),
        ("workflow",),
        ("revisions",),
        ("widgets", "commands"),
        ("__init__",),
    ),
}
"""Package -> its folders and single modules, floor by floor: each is above all that it imports."""


@cache
def every_import(package: str) -> dict[str, set[str]]:
    """Return what each file imports of its package: when it is loaded, in functions, for type checkers."""
    root = source(package)
    files = {".".join(path.relative_to(root).with_suffix("").parts): path for path in root.rglob("*.py")}
    known = {f"{package}.{name}".removesuffix(".__init__"): name for name in files}
    return {
        name: {
            found
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            for found in named(node, name, package, known)
        }
        - {name}
        for name, path in files.items()
    }


def room(module: str) -> str:
    return module.split(".")[0]


@pytest.mark.parametrize("package", FLOORS)
def test_no_circle_of_any_kind(package):
    edges = every_import(package)

    assert {name for name in edges if name in reached(edges, name)} == set()


@pytest.mark.parametrize("package", FLOORS)
def test_every_room_is_above_all_that_it_imports(package):
    floor = {name: at for at, names in enumerate(FLOORS[package]) for name in names}
    edges = every_import(package)

    assert {room(name) for name in edges} == floor.keys()
    assert {
        (name, other)
        for name, others in edges.items()
        for other in others
        if room(other) != room(name) and floor[room(other)] >= floor[room(name)]
    } == set()


@pytest.mark.parametrize("package", ["sispy", "sispy_pandas"])
def test_no_public_name_hides_a_module_beside_it(package):
    public = set(import_module(package).__all__)
    beside = {path.stem for path in source(package).iterdir()}

    assert public & beside == set()


def test_pages_and_notebooks_name_nothing_but_public_names():
    root = Path(__file__).parents[1]
    pages = [root / "README.md", *root.glob("docs/*.md"), *root.glob("notebooks/*.ipynb")]
    text = "".join(path.read_text("utf-8") for path in pages)
    public = {name: import_module(name).__all__ for name in ("sispy", "sispy.sandbox", "sispy_pandas")}
    public["sispy"] = [*public["sispy"], *(name.partition(".")[2] for name in public)]
    short = {"sp": "sispy_pandas", "sispy": "sispy"}
    named = {(short[owner], name) for owner, name in re.findall(r"\b(sp|sispy)\.(\w+)", text)}
    for module, names in re.findall(r"\bfrom (sispy[\w.]*) import ([\w, ]+)", text):
        named |= {(module, name.strip()) for name in names.split(",")}
    modules = set(re.findall(r"\bimport (sispy[\w.]*)", text))

    assert {(module, name) for module, name in named if name not in public.get(module, ())} == set()
    assert modules - public.keys() == set()


def test_what_the_sandbox_knows_of_the_client():
    """Deltas are in a server's commits, patterns in its definitions; the client is known above it alone."""
    known = {
        name: others
        for name, all_others in every_import("sispy").items()
        if name.startswith("sandbox.") and (others := {o for o in all_others if not o.startswith("sandbox.")})
    }
    above = {
        "sandbox.__main__": {"__init__", "cli.options", "cli.remedies", "cli.terminal", "errors"},
        "sandbox.copying": {"__init__"},
        "sandbox.server": {"__init__", "text"},
    }

    assert {name: others for name, others in known.items() if not others <= {"delta", "patterns"}} == above
