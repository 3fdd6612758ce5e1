"""What a profile says about writing to its server, whoever writes there and from where."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import Unauthorized
from .remedies import Argument, Message
from .text import printable


@dataclass(frozen=True, slots=True)
class Rules:
    """What is allowed with a profile, beside what the server allows.

    Attributes:
        profile: Its name.
        read_only: Nothing is written.
        production: Every question names it.
        require_note: A pattern that is found in the note of every push; None: it may have none.
    """

    profile: str = ""
    read_only: bool = False
    production: bool = False
    require_note: str | None = None

    def __str__(self) -> str:
        words = ["read-only"] if self.read_only else []
        words += ["production"] if self.production else []
        words += [f"notes with {printable(self.require_note)}"] if self.require_note else []
        return ", ".join(words)

    def told_at(self, url: str) -> str:
        """Return an address as a question names it."""
        return f"{url} (production)" if self.production else url

    def refuse_write(self) -> None:
        """Raise if nothing is to be written.

        Raises:
            Unauthorized: The profile is read-only.
        """
        if self.read_only:
            said = f"profile {self.profile!r} is read-only: another one writes to this server"
            raise Unauthorized(Message(said))  # no login is the way out

    def refuse_note(self, note: str | None) -> None:
        """Raise unless a push may have this note, or none.

        Raises:
            ValueError: The profile requires another one.
        """
        if self.require_note and not re.search(self.require_note, note or ""):
            given = f"{printable(note)!r} does not" if note else "there is none"
            said = (
                f"profile {self.profile!r} asks for a note with {printable(self.require_note)}, and {given}"
            )
            raise ValueError(Message(said, Argument("note", "gives one")))
