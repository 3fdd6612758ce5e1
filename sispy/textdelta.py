"""Text diffs inside deltas, in diff-match-patch's form; that package is imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diff_match_patch import diff_match_patch


def text_patch(old: str, new: str) -> str | None:
    """Describe the change of a text; None where it cannot be written, in the middle of a surrogate pair."""
    machine = _texts()
    patches = machine.patch_make(_units(old), _units(new))
    try:
        for one in patches:
            one.diffs = [(operation, _characters(part)) for operation, part in one.diffs]
    except UnicodeDecodeError:
        return None
    return str(machine.patch_toText(patches))


def apply_text(text: str, value: str, *, backwards: bool = False) -> str:
    """Apply a text diff: the text after, or backwards the text before.

    Raises:
        ValueError: it is none, or does not fit.
    """
    machine = _texts()
    result = _units(value)
    try:
        patches = machine.patch_fromText(text)
    except ValueError as error:
        raise ValueError(f"no text diff: {text[:80]!r}") from error
    for one in patches:
        one.diffs = [(-operation if backwards else operation, _units(part)) for operation, part in one.diffs]
        if backwards:
            one.start1, one.start2 = one.start2, one.start1
            one.length1, one.length2 = one.length2, one.length1
    # A patch's place counts with all patches before it applied: backwards, the last one goes first.
    for one in reversed(patches) if backwards else patches:
        result, applied = machine.patch_apply([one], result)
        if not all(applied):
            raise ValueError(f"the text diff {text[:80]!r} does not fit {value[:80]!r}")
    return _characters(result)


def _units(text: str) -> str:
    """Spell a text in UTF-16 units, in which the server counts."""
    if not text or max(text) <= "\uffff":
        return text
    raw = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(raw[i] | raw[i + 1] << 8) for i in range(0, len(raw), 2))


def _characters(units: str) -> str:
    if not any("\ud800" <= unit <= "\udfff" for unit in units):
        return units
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _texts() -> diff_match_patch:
    from diff_match_patch import diff_match_patch

    return diff_match_patch()
