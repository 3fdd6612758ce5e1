"""What tests of the grid's page share: its cells, what was edited, names for references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = "[...document.querySelectorAll('.head .name')].map(e => e.textContent.replace(' *', ''))"


class Racks:
    """Names for references, as a server would give them."""

    def of(self, schema: str, ids: Sequence[str]) -> dict[str, str]:
        return {id_: f"R{int(id_, 16)}" for id_ in ids}

    def ids(self, schema: str, names: Sequence[str]) -> dict[str, str]:
        known = {f"R{n}": f"{n:024x}" for n in range(5)}
        return {name: known.get(name.upper(), "") for name in names}

    def find(self, schema: str, text: str) -> list[tuple[str, str]]:
        return [(f"{n:024x}", f"R{n}") for n in range(5) if text.upper() in f"R{n}"]


def cell(page: Any, row: int, name: str) -> Any:
    column = page.evaluate(NAMES).index(name)
    return page.locator(f'.body [data-row="{row}"][data-column="{column}"]')


def becomes(locator: Any, state: str) -> None:
    """Wait until a cell has a class."""
    locator.and_(locator.page.locator(f".{state}")).wait_for()


def edits(grid: Any) -> dict[tuple[int, str], Any]:
    """Row, column, value and reason of all edited cells."""
    return {
        (row, path): (edit.value if edit.reason is None else edit.reason)
        for row, by_path in grid.model.changed().items()
        for path, edit in by_path.items()
    }


def selected(page: Any) -> list[tuple[int, str]]:
    """Row and column name of all selected cells that are drawn."""
    names = page.evaluate(NAMES)
    found = page.evaluate(
        "[...document.querySelectorAll('.body [aria-selected=true]')]"
        ".map(e => [Number(e.dataset.row), Number(e.dataset.column)])"
    )
    return [(row, names[column]) for row, column in sorted(found)]
