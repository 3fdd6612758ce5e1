"""The one place where the optional package behind the widgets is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..values.extras import optional

if TYPE_CHECKING:
    from .grid import Grid
    from .view import View


def grid_class() -> type[Grid]:
    """Return the Grid widget.

    Raises:
        ImportError: anywidget is not installed; the message names the command that installs it.
    """
    optional("anywidget", "grid")
    from .grid import Grid

    return Grid


def view_class() -> type[View]:
    """Return the View widget.

    Raises:
        ImportError: anywidget is not installed; the message names the command that installs it.
    """
    optional("anywidget", "grid")
    from .view import View

    return View
