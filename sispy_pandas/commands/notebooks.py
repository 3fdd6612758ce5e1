"""`sispy notebooks`: the tutorial of an installed package as files of one's own."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import click

from sispy.cli.exits import Misuse
from sispy.cli.options import examples
from sispy.cli.remedies import program
from sispy.cli.terminal import out
from sispy.text import printable

_HERE = Path(__file__).parents[1]
_PLACES = (_HERE / "notebooks", _HERE.parent / "notebooks")
"""Where they are: in an installed package, in a clone."""
NEEDED = "jupyterlab matplotlib"
"""What opens them and draws their pictures, and is in no extra."""


@click.command(epilog=examples("sispy notebooks", "sispy notebooks ~/sispy && jupyter lab ~/sispy"))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="sispy-notebooks")
def notebooks(folder: Path) -> None:
    """Write the tutorial's notebooks into FOLDER (sispy-notebooks), to run and to change.

    Each brings a server of its own with sample data. Files that are there are not replaced.
    """
    found = sorted(path for place in _PLACES for path in place.glob("*.ipynb"))
    if taken := [path.name for path in found if (folder / path.name).exists()]:
        raise Misuse(f"{printable(folder)} has {taken[0]} already: name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for path in found:
        out(str(shutil.copyfile(path, folder / path.name)))
    lab = f"{program('jupyter')} lab {shlex.quote(str(folder))}"
    out(f"Open them with `{lab}`; `{program('pip')} install {NEEDED}` brings what they need.")
