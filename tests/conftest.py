"""Settings of all tests."""

from hypothesis import HealthCheck, settings

# Other programs share the machine: how long an example takes says nothing about the code under test.
settings.register_profile("sispy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sispy")
