"""The client alone: installed without anything else, on the standard library, fast to import, and typed."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from sispy.sandbox import Sandbox

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Return the Python of a new environment that holds sispy and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    command = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", ROOT]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=110)
    if done.returncode:
        pytest.skip(f"pip cannot build sispy here: {done.stderr.strip().splitlines()[-1:]}")
    return python


def test_the_compatibility_script_runs_on_the_standard_library_alone(bare):
    with Sandbox(password="root") as sandbox:
        command = [bare, HERE / "compatibility_script.py", sandbox.url, "stdlib"]
        done = subprocess.run(
            [*map(str, command)], capture_output=True, text=True, cwd=bare.parent, timeout=60
        )

    assert done.stderr == ""
    outcomes = json.loads(done.stdout)
    assert (len(outcomes), outcomes["library"], outcomes["update"]["n"]) == (90, "stdlib", 10)


def test_without_requests_the_standard_library_is_chosen(bare):
    names = "sispy.http.HTTP_LIB, sispy.__version__, 'requests' in sys.modules"
    code = f"import sispy, sispy.http, sys; print({names})"
    done = subprocess.run([bare, "-c", code], capture_output=True, text=True, cwd=bare.parent)

    assert (done.stdout, done.stderr) == ("stdlib (2, 0, 0) False\n", "")


def test_importing_is_fast_because_little_is_imported(bare):
    code = "import sispy, sys; sispy.Client('http://127.0.0.1:1'); print(*sys.modules)"
    done = subprocess.run([bare, "-c", code], capture_output=True, text=True, cwd=bare.parent, check=True)

    slow = {"asyncio", "concurrent", "doctest", "multiprocessing", "pydoc", "sqlite3", "unittest", "xml"}
    others = {"sispy.cli", "sispy.sandbox", "sispy.pytest_plugin", "sispy.delta", "sispy.config"}
    assert set(done.stdout.split()) & (slow | others) == set()


def test_the_whole_public_surface_is_typed():
    pytest.importorskip("mypy")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        ROOT / ".mypy_cache",
        HERE / "public_surface.py",
    ]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=ROOT, timeout=110)

    assert done.stdout.strip().splitlines()[-1:] == ["Success: no issues found in 1 source file"]


def test_the_typed_file_names_everything_public():
    import sispy

    text = (HERE / "public_surface.py").read_text(encoding="utf-8")
    assert [name for name in sispy.__all__ if f"sispy.{name}" not in text] == []
