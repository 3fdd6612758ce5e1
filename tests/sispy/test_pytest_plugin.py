"""The plugin in the tests of others: it costs nothing until a fixture is asked for."""

import subprocess
import sys

import pytest

USE = """
import pytest

def test_it_is_empty(sis_client):
    assert list(sis_client.schemas.fetch_all({})) == []

@pytest.mark.parametrize("sis_sandbox", [{"samples": 3}], indirect=True)
def test_arguments_are_passed_on(sis_client, sis_sandbox):
    assert sis_client.entities("host").count({}) == 3
    assert sis_client.url == sis_sandbox.url
"""
LIGHT = """
import sys

def test_nothing_is_loaded():
    loaded = {"pandas", "uvicorn", "sispy.sandbox"} & set(sys.modules)
    assert not loaded
"""


@pytest.mark.parametrize(("content", "passed"), [(USE, 2), (LIGHT, 1)])
def test_the_plugin(tmp_path, content, passed):
    (tmp_path / "test_user.py").write_text(content)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "sispy.pytest_plugin",
        "-p",
        "no:cacheprovider",
        str(tmp_path),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert f"{passed} passed" in run.stdout, run.stdout + run.stderr
