"""Settings of all tests."""

import gc
import os
import sys

import pytest
from hypothesis import HealthCheck, settings

# Other programs share the machine: how long an example takes says nothing about the code under test.
settings.register_profile("soak", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("soak"), derandomize=True)
settings.load_profile("same")


SLOW = {"chromium", "kernel"}
"""Fixtures of programs that take long to start, whatever is asked of them."""


SECONDS = {"soak": 7200, "slow": 300}
"""Until a test of a mark is given up: a busy machine takes its time."""


def pytest_configure(config):
    """Let every run try the same examples, and the soak new ones."""
    settings.load_profile("soak" if config.option.markexpr == "soak" else "same")


def pytest_xdist_auto_num_workers():
    """Two processes a core: nearly half of the time of a test goes by in waiting."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_modifyitems(items):
    """Mark as slow what needs a browser or a kernel, give the long tests their time, and begin with them."""
    for item in items:
        if not SLOW.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
        marks = {mark.name for mark in item.iter_markers()}
        if seconds := [SECONDS[name] for name in SECONDS if name in marks and "timeout" not in marks]:
            item.add_marker(pytest.mark.timeout(seconds[0]))
    if "PYTEST_XDIST_WORKER" in os.environ:
        items[:] = slow_first(items)


def slow_first(items):
    """Let one process begin with those that need a browser, another with the other slow ones.

    Each of n processes is given an n-th of all tests, in order, and takes some of another's when it is done.
    Two slow tests at a time, which wait for much, leave the cores to the quick ones, and none comes last.
    """
    slow, quick = [], []
    for item in items:
        (slow if item.get_closest_marker("slow") else quick).append(item)
    in_browser = [item for item in slow if "chromium" in item.fixturenames]
    others = [item for item in slow if "chromium" not in item.fixturenames]
    middle = max(0, len(items) // 2 - len(in_browser))
    return [*in_browser, *quick[:middle], *others, *quick[middle:]]


def pytest_collection_finish():
    """Let no garbage collection go over the tests themselves: what was collected stays until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def brief_pauses(monkeypatch):
    """Let nobody wait long for a server that is broken on purpose, neither a client nor a push."""
    for name in ("sispy.transport", "sispy_pandas.pushing.server"):
        if module := sys.modules.get(name):
            monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)


@pytest.fixture(autouse=True)
def no_width(monkeypatch):
    """Let output be as wide as it is: readline leaves its COLUMNS to the processes that pytest starts."""
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def deep():
    """Collect no garbage where the stack is full: finalizers of earlier tests would fail there."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def golden(request):
    """Compare lines with those kept in a file beside the test; SISPY_WRITE_GOLDEN=1 keeps these instead."""

    def compare(name: str, lines: list[str]) -> None:
        path = request.path.parent / "golden" / f"{name}.txt"
        if os.environ.get("SISPY_WRITE_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        assert lines == path.read_text(encoding="utf-8").splitlines()

    return compare
