"""How a row that somebody else may have written meanwhile is spared, a file per guard."""

from typing import Literal

Guard = Literal["check", "cas", "off"]
GUARDS: dict[Guard, str] = {
    "check": "Read again before writing",
    "cas": "Compare and set, row by row",
    "off": "None",
}
"""What keeps a push from writing over what others wrote meanwhile, and its name for people."""
