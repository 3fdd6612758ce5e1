"""The one place where the optional package behind the grid is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .grid import Grid


def grid_class() -> type[Grid]:
    """Return the Grid widget.

    Raises:
        ImportError: anywidget is not installed; the message names the command that installs it.
    """
    try:
        from .grid import Grid
    except ModuleNotFoundError as error:
        if error.name != "anywidget":
            raise
        raise ImportError('the editable grid needs anywidget: pip install ".[grid]"') from error
    return Grid
