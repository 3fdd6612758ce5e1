"""Optional packages, with one clear error where they are missing; and a pause for the garbage collector."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def optional(package: str, extra: str) -> Any:
    """Return a module that an extra of this project installs.

    Raises:
        ImportError: It is not installed; the message names the command that installs it.
    """
    try:
        return import_module(package)
    except ImportError:
        raise ImportError(f'{package} is missing: pip install ".[{extra}]"', name=package) from None


@contextmanager
def no_collection() -> Iterator[None]:
    """Pause the cyclic garbage collector, which finds nothing in fresh JSON but looks for long."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
