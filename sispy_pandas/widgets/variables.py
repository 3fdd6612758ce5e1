"""The variables of the notebook that a widget is in."""

from __future__ import annotations

from typing import Any


def variables() -> dict[str, Any]:
    """Return the notebook's variables; outside of IPython those of the main program."""
    try:
        from IPython import get_ipython
    except ImportError:
        shell = None
    else:
        shell = get_ipython()
    if shell is None:
        import __main__

        return vars(__main__)
    namespace: dict[str, Any] = shell.user_ns
    return namespace
