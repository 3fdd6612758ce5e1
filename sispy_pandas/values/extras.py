"""Optional packages: imported when they are needed, and one clear error where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def optional(package: str, extra: str) -> Any:
    """Return a module that an extra of this project installs.

    Raises:
        ImportError: It is not installed; the message names the command that installs it.
    """
    try:
        return import_module(package)
    except ImportError:
        raise ImportError(f'{package} is missing: pip install ".[{extra}]"', name=package) from None
