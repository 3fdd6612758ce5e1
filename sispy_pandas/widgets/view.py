"""A page that Python writes: drawn by view.js, which tells what was clicked, chosen or typed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HERE = Path(__file__).parent


class View(anywidget.AnyWidget):
    """Show HTML, and call what its elements name by `data-act`, with their other data as arguments.

    Args:
        acts: Name -> function. A field gives its text as `value`.
    """

    _esm = _HERE / "view.js"
    _css = "".join((_HERE / name).read_text("utf-8") for name in ("theme.css", "view.css"))

    html: traitlets.Unicode[str, str | bytes] = traitlets.Unicode().tag(sync=True)

    def __init__(self, acts: Mapping[str, Callable[..., object]], **options: Any) -> None:
        self._acts = acts
        super().__init__(**options)
        self.on_msg(self._receive)

    def _receive(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        act = message.pop("act", None)
        if act not in self._acts:
            raise ValueError(f"view.js sent an unknown act: {act!r}")
        self._acts[act](**message)
