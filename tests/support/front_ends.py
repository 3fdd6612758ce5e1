"""Real front ends with real kernels: how they are started, given a notebook, and watched."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BROWSE = """
import sispy, sispy_pandas as sp
client = sispy.Client("{url}", auth_token="{token}")
sp.SchemaBrowser(client)
"""
VOILA = ("voila", "voila/render/work.ipynb")
LAB = ("jupyterlab", "lab/tree/work.ipynb?reset")
NOTEBOOK = ("notebook", "notebooks/work.ipynb")
"""Application, and where it shows the notebook."""

NOISE = re.compile(
    r"(Failed to load resource: net::\w+ )?"
    r"https://cdn\.jsdelivr\.net/npm/@fortawesome/fontawesome-free@[^/]+/css/(all|v4-shims)\.min\.css"
    r"|Error: The getter for the shared module is not a function\..*/@jupyter-notebook/lab-extension/.*"
    r"|Failed to load resource: .*404 \(Not Found\) http://127\.0\.0\.1:\d+/lsp/status\?\d+"
    r"|Failed to load resource: .*403 \(Forbidden\) http://127\.0\.0\.1:\d+/voila/api/shutdown/[0-9a-f-]+"
    r"|Cannot read properties of undefined \(reading 'schema'\)",
    re.DOTALL,
)
"""What the pages do without any widget in them: two stylesheets that Voila's template has at a CDN,
an extension of Notebook that Voila cannot load, JupyterLab's question for language servers,
Voila's farewell to the kernel of a page that is loaded again, and a setting that Notebook has not got."""

_TRIES = 5
_JUPYTER = ("--ServerApp.token=", "--ServerApp.ip=127.0.0.1", "--allow-root", "--LabApp.news_url=None")
_OPTIONS = {"voila": (".", "--Voila.ip=127.0.0.1")}


@contextmanager
def serving(application: str, folder: Path) -> Iterator[str]:
    """Run a Jupyter application on a free port."""
    found = find_spec(application)
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parents[4]  # it may be of another prefix than Python
    port = _free_port()
    environment = os.environ | {
        "JUPYTER_PATH": str(package / "share" / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
        "TQDM_DISABLE": "1",
    }
    options = _OPTIONS.get(application, _JUPYTER)
    command = [sys.executable, "-m", application, *options, "--no-browser", f"--port={port}"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            until(lambda: _listens(port), 60, folder / "server.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until(condition: Callable[[], object], seconds: float, log: Path) -> None:
    """Wait for something, or fail with what the application has logged."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(log.read_text())
        time.sleep(0.3)


def write_notebook(path: Path, *sources: str) -> None:
    """Write a notebook of these cells."""
    nbformat = pytest.importorskip("nbformat")  # here: its import takes long
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


def run_all(page: Any) -> None:
    """Run the cells of a notebook that JupyterLab or Notebook shows."""
    from playwright.sync_api import TimeoutError as TooLate

    page.locator(".jp-Notebook").wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    ran = page.locator(".jp-InputPrompt", has_text=re.compile(r"\[[*\d]"))
    for _ in range(_TRIES):  # what is run before the kernel is there is not run
        page.wait_for_timeout(1000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        with suppress(TooLate):
            ran.first.wait_for(timeout=10_000)
            return
    raise AssertionError("no cell runs")


@contextmanager
def watched(chromium: Any) -> Iterator[Any]:
    """A page that must not have errors, nor ask for what is not on this machine."""
    context = chromium.new_context(
        viewport={"width": 1500, "height": 1700}, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(_error_of(said)) if said.type == "error" else None)
    page.on("request", lambda asked: wrong.append(asked.url) if _outside(asked.url) else None)
    yield page
    context.close()
    assert [text for text in wrong if not NOISE.fullmatch(text)] == []


def violations(page: Any, context: str = "html") -> list[tuple[str, list[str]]]:
    """Return what axe-core finds in a part of a page: rules, and the elements that break them."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    answer = axe.run(page, context=context)
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in answer.response["violations"]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _error_of(said: Any) -> str:
    """An error on the console, with the address that it is about."""
    return f"{said.text} {said.location['url']}"


def _outside(url: str) -> bool:
    return not re.match(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:", url)
