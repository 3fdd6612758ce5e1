"""Who imports whom: in one direction, late where it must be, and never what the user did not install."""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

OPTIONAL = {
    "anywidget",
    "dask",
    "diff_match_patch",
    "distributed",
    "msgspec",
    "openpyxl",
    "pyarrow",
    "regex",
    "starlette",
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

    assert loaded & (OPTIONAL | {"pandas", "numpy", "sispy_pandas", "tqdm", "ipywidgets"}) == set()


def test_import_sispy_pandas_needs_no_extra():
    assert modules_after("import sispy_pandas") & (OPTIONAL - {"pyarrow"}) == set()


def test_sispy_never_imports_sispy_pandas():
    guilty = {
        path.name
        for path in source("sispy").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(n.name.startswith("sispy_pandas") for n in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sispy_pandas"))
    }

    assert guilty == set()


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

    assert len(text.splitlines()) <= 40
    assert all(names == sorted(names) for names in assigned)
