"""The head of the browser: whose server it is, its tabs, and the button that reads again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..markup import Html, button, h, tabs
from .panel import Panel

if TYPE_CHECKING:
    from collections.abc import Callable

TABS = {"tables": "Tables", "map": "Map", "hiera": "Hiera", "hooks": "Hooks", "users": "Users"}


class TopPanel(Panel):
    """Choose what of a server is shown.

    Args:
        url: Of the server.
        choose: Called with the name of a tab.
        reload: Called when what is in sight shall be read again.
    """

    def __init__(self, url: str, *, choose: Callable[[str], None], reload: Callable[[], None]) -> None:
        self._url = url
        self.tab = "tables"
        super().__init__(tab=choose, reload=reload)

    def content(self) -> Html:
        again = button("↻ Reload", "reload", style="quiet push", title="Read again what is in sight")
        return h(
            "div",
            h("div", h("b", self._url), class_="line"),
            tabs(TABS, self.tab, "tab", label="Parts of the server", end=again),
            class_="stack",
        )
