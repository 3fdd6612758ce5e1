"""Fixtures for tests of programs that talk to SIS: an embedded server, and a client for it.

They are there in every test suite where sispy is installed; the server is loaded when a test asks for it.
The server is in the extra `sandbox`.

    def test_hosts_are_created(sis_client):
        sis_client.schemas.create(...)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sispy import Client
    from sispy.sandbox import Sandbox


@pytest.fixture
def sis_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Run an empty SIS server for one test.

    `@pytest.mark.parametrize("sis_sandbox", [{"samples": 50}], indirect=True)` passes arguments to `Sandbox`.
    """
    from sispy.sandbox import Sandbox

    with Sandbox(**getattr(request, "param", {})) as sandbox:
        yield sandbox


@pytest.fixture
def sis_client(sis_sandbox: Sandbox) -> Client:
    """Return a client that is logged in to the server of the test as its super user."""
    return sis_sandbox.client()
