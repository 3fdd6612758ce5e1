"""How a row that somebody else may have written meanwhile is spared, a file per guard."""

from typing import Literal

Guard = Literal["check", "cas", "off"]
GUARDS: dict[Guard, tuple[str, str]] = {
    "check": ("check.send_updates", "Read again before writing"),
    "cas": ("cas.send_cas", "Compare and set, row by row"),
    "off": ("check.send_updates", "Write over others' edits"),
}
"""What keeps a push from writing over what others wrote meanwhile.

Its name -> the file beside this one and its function `(run, updates)`; and its name for people.
"""
