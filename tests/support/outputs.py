"""Outputs of a notebook that are kept with it: what a reader sees where no kernel runs.

`python tests/support/outputs.py notebooks/02_edit_and_push.ipynb` runs a notebook and keeps its outputs.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

KEPT = ("02_edit_and_push",)
"""Notebooks that are kept with their outputs: a page of GitHub shows them."""
_JOURNAL = re.compile(r"~?/\S+?/sispy/pushes/")
_VARIES = re.compile(r"[0-9a-f]{6,}|\d+|\s+")


def kept(cell: Any) -> list[Any]:
    """Return the outputs of a cell as they are kept: without progress, and without the paths of a machine."""
    found = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "application/vnd.jupyter.widget-view+json" in data and "text/html" not in data:
            continue  # a bar that has reached its end
        for kind in [kind for kind in data if kind.startswith("text/")]:
            data[kind] = _JOURNAL.sub("~/.local/state/sispy/pushes/", data[kind])
        found.append(output)
    return found


def told(cell: Any) -> list[dict[str, str]]:
    """Return what the outputs of a cell say, but for times, ports, ids and the like, which vary."""
    return [
        {
            kind: _VARIES.sub("#", text)
            for kind, text in output.get("data", {}).items()
            if kind.startswith("text/")
        }
        for output in kept(cell)
    ]


def main(path: Path) -> None:
    """Run a notebook, and keep its outputs with it."""
    import nbformat  # here, as in the tests: it takes long
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    with TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
    notebook.metadata.pop("widgets", None)  # without it a page shows the table that stands in for a widget
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = kept(cell)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
