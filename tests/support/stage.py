"""A page that shows a tree of widgets with their real JavaScript, joined to Python without a kernel."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BOOT = """() => {
  const models = {};
  const modules = {};
  const make = (id, state) => {
    const handlers = {};
    return models[id] = {
      state,
      get: (key) => models[id].state[key],
      send: async (content) => {
        await window.__take(JSON.parse(await window.__answer(id, JSON.stringify(content))));
      },
      on: (name, f) => (handlers[name] ??= []).push(f),
      off: (name, f) => { handlers[name] = (handlers[name] ?? []).filter((g) => g !== f); },
      fire: (name, ...rest) => [...(handlers[name] ?? [])].forEach((f) => f(...rest)),
    };
  };
  const draw = async (tree) => {
    const el = document.createElement("div");
    el.dataset.widget = tree.id;
    Object.assign(el.style, tree.style);
    for (const child of tree.children ?? []) el.append(await draw(child));
    if (tree.text !== undefined) el.textContent = tree.text;
    if (tree.esm) {
      if (!modules[tree.kind]) {
        document.head.append(Object.assign(document.createElement("style"), { textContent: tree.css }));
        modules[tree.kind] = import(URL.createObjectURL(new Blob([tree.esm], { type: "text/javascript" })));
      }
      const model = models[tree.id] ?? make(tree.id, tree.state);
      Object.assign(model.state, tree.state);
      (await modules[tree.kind]).default.render({ model, el });
    }
    return el;
  };
  window.__show = async (tree) => document.querySelector("#stage").replaceChildren(await draw(tree));
  window.__take = async (messages) => { for (const one of messages) await receive(one); };
  const receive = async ({ id, method, content }) => {
    const place = document.querySelector(`[data-widget="${id}"]`);
    if (method === "tree") {
      if (place) place.replaceWith(await draw(content));
      return;
    }
    if (method === "style") return place && Object.assign(place.style, content);
    const model = models[id];
    if (!model) return;
    if (method === "custom") return model.fire("msg:custom", content, []);
    Object.assign(model.state, content);
    Object.keys(content).forEach((key) => model.fire(`change:${key}`));
  };
}"""

_COMMON = ("layout", "tabbable", "tooltip")
_STYLES = {
    "flex": "flex",
    "flex_flow": "flexFlow",
    "grid_gap": "gap",
    "min_width": "minWidth",
    "width": "width",
    "align_items": "alignItems",
}


class Stage:
    """Shows a widget in a page of Playwright.

    Every act in the page is answered when what it began beside the page has ended.

    Args:
        page: An empty page with an element `#stage`.
        widget: What is shown.
        settle: Called before each answer.
    """

    def __init__(self, page: Any, widget: Any, settle: Callable[[], object]) -> None:
        self._page, self._settle = page, settle
        self._models: dict[str, Any] = {}
        self._outbox: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        page.expose_function("__answer", self._answer)
        page.evaluate(BOOT)
        page.evaluate("tree => window.__show(tree)", self._tree(widget))

    def flush(self) -> None:
        """Let the page follow what Python did."""
        self._page.evaluate("messages => window.__take(messages)", self._taken())

    def _answer(self, id_: str, content: str) -> str:
        self._models[id_]._handle_custom_msg(json.loads(content), [])
        self._settle()
        return json.dumps(self._taken())

    def _taken(self) -> list[dict[str, Any]]:
        with self._lock:
            messages, self._outbox = self._outbox, []
        return messages

    def _tree(self, widget: Any) -> dict[str, Any]:
        id_ = widget.model_id
        is_new = id_ not in self._models
        self._models[id_] = widget
        if is_new:
            widget.layout.observe(lambda _: self._send(id_, "style", dict(_style(widget))), ["display"])
        found: dict[str, Any] = {"id": id_, "kind": type(widget).__name__, "style": dict(_style(widget))}
        if isinstance(widget, ipywidgets.Box):
            found["children"] = [self._tree(child) for child in widget.children]
            if is_new:
                widget.observe(lambda _: self._send(id_, "tree", self._tree(widget)), "children")
        elif isinstance(widget, anywidget.AnyWidget):
            keys = [
                name
                for name in widget.keys
                if not name.startswith("_") and name not in ("layout", "tabbable", "tooltip")
            ]
            found |= {
                "esm": str(widget._esm),
                "css": str(widget._css),
                "state": {key: getattr(widget, key) for key in keys},
            }
            if is_new:
                widget.observe(lambda change: self._send(id_, "update", {change.name: change.new}), keys)
                widget.send = lambda content, buffers=None: self._send(id_, "custom", content)
        else:
            found["text"] = str(getattr(widget, "description", "") or getattr(widget, "value", ""))
        return found

    def _send(self, id_: str, method: str, content: Any) -> None:
        with self._lock:
            self._outbox.append({"id": id_, "method": method, "content": json.loads(json.dumps(content))})


def _style(widget: Any) -> Iterator[tuple[str, str]]:
    layout = widget.layout
    yield "display", layout.display or ("flex" if isinstance(widget, ipywidgets.Box) else "block")
    if isinstance(widget, ipywidgets.Box):
        yield "flexDirection", "row" if isinstance(widget, ipywidgets.HBox) else "column"
    for trait, name in _STYLES.items():
        if getattr(layout, trait) is not None:
            yield name, getattr(layout, trait)
