"""Settings of all tests."""

import sys

import pytest
from hypothesis import HealthCheck, settings

# Other programs share the machine: how long an example takes says nothing about the code under test.
settings.register_profile("sispy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sispy")


@pytest.fixture(autouse=True)
def brief_pauses(monkeypatch):
    """Let nobody wait long for a server that is broken on purpose, neither a client nor a push."""
    for name in ("sispy.transport", "sispy_pandas.pushing.server"):
        if module := sys.modules.get(name):
            monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
