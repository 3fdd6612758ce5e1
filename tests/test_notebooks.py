"""Every notebook runs from the first cell to the last, without a warning, and is kept without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.fixture(scope="module")
def kernel():
    """One kernel for all notebooks, each of which finds it without names: to start it takes the longest."""
    client = NotebookClient(nbformat.v4.new_notebook(), timeout=120)
    with client.setup_kernel():
        yield client


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, kernel, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    start = f"%reset -f\n%cd -q {tmp_path}\n%env XDG_STATE_HOME={tmp_path}"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(start))

    kernel.reset_execution_trackers()
    kernel.nb = notebook
    for index, cell in enumerate(notebook.cells):
        kernel.execute_cell(cell, index)

    said = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    ]
    assert [output.text for output in said if "Warning" in output.text] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    cells = nbformat.read(path, as_version=4).cells

    assert [cell.id for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []
