"""Every notebook runs from the first cell to the last, without a warning; which outputs are kept with it."""

import re
from pathlib import Path

import pytest

from outputs import KEPT, told

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.fixture(scope="module")
def nbformat():
    """Import it where a notebook is read: it takes long, and every process of the tests collects them all."""
    import nbformat

    return nbformat


@pytest.fixture(scope="module")
def kernel(nbformat):
    """One kernel for all notebooks, each of which finds it without names: to start it takes the longest."""
    from nbclient import NotebookClient

    client = NotebookClient(nbformat.v4.new_notebook(), timeout=120)
    with client.setup_kernel():
        yield client


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, nbformat, kernel, tmp_path):
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
    if path.stem in KEPT:
        saved = nbformat.read(path, as_version=4)
        assert {c.id: told(c) for c in notebook.cells[1:]} == {c.id: told(c) for c in saved.cells}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_or_with_what_a_page_shows_of_them(path, nbformat):
    text = path.read_text("utf-8")
    notebook = nbformat.reads(text, as_version=4)
    shown = [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]

    assert bool(shown) == (path.stem in KEPT)
    assert "widgets" not in notebook.metadata
    assert re.findall(r"/(?:home|root|tmp)/", text) == []


def test_a_page_without_a_kernel_shows_tables_in_place_of_widgets():
    from nbconvert import HTMLExporter

    path = next(path for path in NOTEBOOKS if path.stem == "02_edit_and_push")
    page, _ = HTMLExporter().from_filename(str(path))
    shown = re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL)

    assert shown.count("A picture of a widget: Jupyter, VS Code and Voila show it live.") == 2
    assert re.search(r'<td align="right"[^>]*>96</td>', shown)
    assert "seen in the tutorial" in shown
