"""The pages that people read: README and docs, and the blocks of code in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
}
"""Text of each page, by its path in the repository."""


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of code of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)


def section(page: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one of its level."""
    (found,) = re.findall(rf"^(#+) {heading}$(.*?)(?=^#+ |\Z)", PAGES[page], re.MULTILINE | re.DOTALL)
    return str(found[1])


def rows(text: str) -> list[list[str]]:
    """Return the rows of the tables in a text, without their heads."""
    lines = re.findall(
        r"^\|(?!-)(.*)\|$", re.sub(r"^\|.*\|\n(?=\|-)", "", text, flags=re.MULTILINE), re.MULTILINE
    )
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines]


def with_blocks(language: str) -> list[str]:
    """Return the pages that have blocks of a language."""
    return [page for page in PAGES if blocks(page, language)]
