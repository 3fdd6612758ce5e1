"""Chromium, and the grid's real JavaScript joined to the real Python object without a kernel."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sispy_pandas.values.schema import Schema
from sispy_pandas.values.types.base import Field

if TYPE_CHECKING:
    import pandas as pd

BOOT = """async ([esm, css, state]) => {
  const handlers = {};
  const on = (name, f) => (handlers[name] ??= []).push(f);
  const off = (name, f) => { handlers[name] = (handlers[name] ?? []).filter((g) => g !== f); };
  const fire = (name, ...rest) => [...(handlers[name] ?? [])].forEach((f) => f(...rest));
  window.__manager = {}; // that of a notebook knows the kernel
  const send = (content) => window.__python(content);
  const model = { get: (key) => state[key], send, on, off, widget_manager: window.__manager };
  window.__python = async (content) => {
    for (const message of await window.__answer(JSON.stringify(content))) window.__receive(message);
  };
  window.__receive = ({ method, content }) => {
    if (method === "custom") return fire("msg:custom", content, []);
    Object.assign(state, content);
    Object.keys(content).forEach((key) => fire(`change:${key}`));
  };
  document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
  const module = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
  const el = document.createElement("div");
  document.body.append(el);
  window.__close = module.default.render({ model, el });
}"""
"""What a front end does for a widget: a model with state and messages, and a place to draw."""


EMPTY = (
    "<!doctype html><html lang=en><title>Page</title>"
    "<body style='margin:8px'><main><h1>Page</h1><div id=stage></div></main></body></html>"
)


@contextmanager
def blank(chromium, **options):
    """An empty page that no request leaves, and that has no errors."""
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"], **options)
    page = context.new_page()
    page.set_default_timeout(8000)
    errors: list[str] = []

    def serve(route: Any) -> None:
        if route.request.url == "http://localhost/":
            route.fulfill(body=EMPTY, content_type="text/html")
        else:
            errors.append(f"request to {route.request.url}")
            route.abort()

    page.route("**/*", serve)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto("http://localhost/")
    yield page
    context.close()
    assert errors == []


@pytest.fixture(scope="module")
def served(tmp_path_factory, need):
    """Return a function that says where an application serves a folder, and that folder."""
    from front_ends import serving

    running = {}
    with ExitStack() as stack:

        def address(application):
            need(find_spec(application), application)
            if application not in running:
                folder = tmp_path_factory.mktemp(application)
                running[application] = stack.enter_context(serving(application, folder)), folder
            return running[application]

        yield address


@pytest.fixture
def page(chromium):
    """A page that must not have errors, nor ask for what is not on this machine."""
    from front_ends import watched

    with watched(chromium) as page:
        yield page


@pytest.fixture
def opened(page, served):
    """Return a function that opens a notebook of these cells in a front end."""
    from front_ends import write_notebook

    def open_notebook(application, path, *sources):
        url, folder = served(application)
        write_notebook(folder / "work.ipynb", *sources)
        page.goto(f"{url}/{path}", wait_until="commit")

    yield open_notebook
    page.goto("about:blank")


@pytest.fixture
def stage(chromium):
    """Return a function that shows a widget of widgets in an empty page."""
    pytest.importorskip("anywidget")
    from stage import Stage

    with ExitStack() as stack:

        def show(widget: Any, settle: Any, *, width: int = 1400, style: str = "") -> Any:
            page = stack.enter_context(blank(chromium, viewport={"width": width, "height": 900}))
            page.add_style_tag(content=f":root {{ }} {style}")
            page.stage = Stage(page, widget, settle)
            return page

        yield show


@pytest.fixture
def mount(chromium):
    """Return a function that draws a Grid in an empty page."""
    with blank(chromium, viewport={"width": 1600, "height": 640}) as page:
        yield lambda grid, **options: draw(page, grid, **options)


def draw(page: Any, grid: Any, *, style: str = "") -> Any:
    outbox: list[dict[str, Any]] = []
    page.sent = []  # bytes of every message to the page
    grid.send = lambda content, buffers=None: outbox.append({"method": "custom", "content": content})
    state = {name: getattr(grid, name) for name in ("columns", "status", "options")}

    def on_trait(change: Any) -> None:
        outbox.append({"method": "update", "content": {change.name: change.new}})

    grid.observe(on_trait, list(state))

    def settle() -> None:
        # Nothing pushes here: what a thread sent after the answer would wait until the page asks again.
        for thread in threading.enumerate():
            if thread.name == "sispy-labels":
                thread.join()

    def take() -> list[dict[str, Any]]:
        messages = json.loads(json.dumps(outbox))
        outbox.clear()
        page.sent += [len(json.dumps(message)) for message in messages]
        return messages

    def answer(text: str) -> list[dict[str, Any]]:
        grid._receive(grid, json.loads(text), [])
        settle()
        return take()

    page.flush = lambda: page.evaluate("messages => messages.forEach(window.__receive)", take())
    page.expose_function("__answer", answer)
    page.evaluate(BOOT, [grid._esm, grid._css + style, json.loads(json.dumps(state))])
    return page


FIELDS = (
    Field("name", "String", required=True, unique=True),
    Field("os", "String", enum=("debian13", "rhel9", "windows2025")),
    Field("live", "Boolean"),
    Field("cores", "Number", min=1, max=128),
    Field("bought", "Date"),
    Field("rack", "ObjectId", ref="rack"),
    Field("tags", "Array", item=Field("", "String")),
    Field("extra", "Mixed"),
    Field("net.ip", "IpAddress"),
    Field("note", "String"),
)


@pytest.fixture(scope="session")
def host_schema():
    return Schema("host", FIELDS, "name", {})


@pytest.fixture(scope="session")
def hosts(host_schema):
    """Return a function that makes n typed rows."""
    from sispy_pandas.values import records

    def make(n: int) -> pd.DataFrame:
        kinds = ("debian13", "rhel9", None)
        values: dict[str, list[Any]] = {
            "name": [f"web{i:06}" for i in range(n)],
            "os": [kinds[i % 3] for i in range(n)],
            "live": [(True, False, None)[i % 3] for i in range(n)],
            "cores": [1 + i % 64 for i in range(n)],
            "bought": [f"20{10 + i % 15}-03-0{1 + i % 9}T00:00:00.000Z" for i in range(n)],
            "rack": [f"{i % 5:024x}" for i in range(n)],
            "tags": [["web", "eu"][: i % 3] for i in range(n)],
            "extra": [{"slot": i} if i % 2 else None for i in range(n)],
            "net.ip": [f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}/24" for i in range(n)],
            "note": [f"bought with order {i % 97}" for i in range(n)],
        }
        receipts = np.full(n, 1_795_436_355_529).tolist()
        return records.frame_of(host_schema, values, [f"{i:024x}" for i in range(n)], receipts)

    return make


@pytest.fixture
def open_grid(mount, host_schema, hosts):
    """Return a function that opens a grid of n hosts in a page."""

    from sispy_pandas.widgets.columns import columns_of
    from sispy_pandas.widgets.grid import Grid
    from sispy_pandas.widgets.grid_model import GridModel

    def make(rows=300, *, labels=None, style="", **options):
        frame = hosts(rows)
        columns = columns_of(host_schema, frame, readonly=("net.ip",))
        model = GridModel(host_schema, frame, columns=columns)
        grid = Grid(model, labels=labels, label="Hosts", **options)
        page = mount(grid, style=style)
        page.get_by_text("web000002", exact=True).wait_for()
        return grid, page

    return make
