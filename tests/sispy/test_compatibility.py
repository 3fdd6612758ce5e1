"""One script with the published sispy 1.1.0 and with this one: the same outcomes but for 1.1's faults."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sispy.sandbox import Sandbox

SCRIPT = Path(__file__).with_name("compatibility_script.py")


@pytest.fixture(scope="session")
def sispy_1(request):
    """Return a folder with sispy 1.1.0, fetched once and kept in pytest's cache."""
    folder = Path(request.config.cache.mkdir("sispy-1.1.0"))
    if not (folder / "sispy" / "client.py").exists():
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--target",
            folder,
            "sispy==1.1.0",
        ]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=100)
        if done.returncode:
            pytest.skip(f"pip cannot get sispy 1.1.0: {done.stderr.strip().splitlines()[-1:]}")
    return folder


def outcomes(lib, folder=None):
    """Run the script against a new sandbox; `folder` holds the sispy to use, if not this one."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    if folder is not None:
        environment["PYTHONPATH"] = str(folder)
    with Sandbox(password="root") as sandbox:
        done = subprocess.run(
            [sys.executable, SCRIPT, sandbox.url, lib],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


FIXED = {
    "bad offset": (
        ["Error", 500, 2, None],
        ["Error", 500, 2, "MongoError: Skip value must be non-negative"],
    ),
    "the caller's query afterwards": (
        {"limit": 2, "offset": 4, "q": {"n": {"$gt": 0}}},
        {"limit": 2, "q": {"n": {"$gt": 0}}},
    ),
    "all from an offset": (5, 3),
    "get of an empty id": ("list", ["Exception", "ValueError"]),
    "an id with a space and a slash": (["Error", 404, None], ["a b/c", "a b/c"]),
    "an id with a question mark": (["Error", 404, 1000, "host a does not exist"], ["a?b", "a?b"]),
    "a query value of True": (["Error", 404, 1000, "host web99 does not exist"], "web99"),
    "a list of fields": (["_id", "tags"], ["_id", "n", "tags"]),
    "nan": (["Error", 400, 1001, "Bad request: Invalid JSON"], ["Exception", "ValueError"]),
    "dead token": (
        ["Error", 404, 1000, "sis_tokens AN ID does not exist"],
        ["Error", 404, 1000, "sis_tokens *** does not exist"],
    ),
}
"""What sispy 1.1 got wrong: what the call came to, and what it comes to now (errors without documents)."""

FIXED_STDLIB = {
    **FIXED,
    "bad offset": (["Error", 500, 2, "Internal Server Error"], FIXED["bad offset"][1]),
    "an id with a space and a slash": (["Exception", "InvalidURL"], ["a b/c", "a b/c"]),
    "update_bulk dict": (
        ["Error", 400, None, "Failed to decode JSON from the response: b''"],
        ["web4", "web5"],
    ),
    "header in another case": (["Exception", "KeyError"], True),
}
"""The same without requests, where the method `put` in lower case was an error as well."""


def short(outcome):
    """Leave out of an error the document and a text that holds a page; of objects all but the name."""
    if outcome and isinstance(outcome, list) and outcome[0] == "Error":
        return outcome[:3] if "<html>" in (outcome[3] or "") else outcome[:4]
    if outcome and isinstance(outcome, list) and isinstance(outcome[0], dict):
        return [item["name"] for item in outcome]
    return outcome


@pytest.mark.parametrize(("lib", "fixed"), [("requests", FIXED), ("stdlib", FIXED_STDLIB)])
def test_a_script_for_sispy_1_comes_to_the_same(sispy_1, lib, fixed):
    if lib == "requests":
        pytest.importorskip("requests")

    old, new = outcomes(lib, sispy_1), outcomes(lib)

    assert len(old) == 90
    assert old["library"] == new["library"] == lib
    different = {name: (short(old[name]), short(new[name])) for name in old if old[name] != new[name]}
    assert different == fixed
