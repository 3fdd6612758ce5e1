import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from sispy.cli import main

NOTEBOOKS = {
    path.name: path.read_bytes() for path in (Path(__file__).parents[3] / "notebooks").glob("*.ipynb")
}


def test_the_notebooks_are_written_and_those_that_are_there_are_left_alone(tmp_path):
    folder = tmp_path / "my notes"
    first = CliRunner().invoke(main, ["notebooks", str(folder)])
    assert (first.exit_code, first.stderr) == (0, "")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == NOTEBOOKS
    assert first.stdout.splitlines()[-1] == (
        f"Open them with `jupyter lab '{folder}'`; `pip install jupyterlab matplotlib` brings what they need."
    )

    mine = folder / "01_fetch.ipynb"
    mine.write_text("mine")
    again = CliRunner().invoke(main, ["notebooks", str(folder)])
    assert again.exit_code == 64
    assert f"{folder} has 01_fetch.ipynb already: name another folder." in again.stderr
    assert mine.read_text() == "mine"


def test_what_opens_them_is_named_in_a_venv_that_is_not_activated(tmp_path):
    beside = Path(sys.executable).parent
    done = subprocess.run(
        [beside / "sispy", "notebooks", "mine"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == (
        f"Open them with `{beside}/jupyter lab mine`; "
        f"`{beside}/pip install jupyterlab matplotlib` brings what they need."
    )
