"""What can be done about a refusal, as data: Python, the command line and widgets have their words for it.

A text that knows a way out is a `Message`. Wherever a text is wanted it reads as in Python; a face of another
kind asks `worded` for its own words. Nobody takes a finished sentence apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ASKED: Any = ...
"""The value of an argument that only the user knows."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument that would have made a difference.

    Attributes:
        name: Its name in Python. On the command line it is an option, in a widget it may be a control.
        does: What comes of it: "sends the other rows".
        value: What to give; without one the user knows it.
    """

    name: str
    does: str
    value: Any = _ASKED

    @property
    def is_asked(self) -> bool:
        """Return whether only the user knows the value."""
        return self.value is _ASKED


@dataclass(frozen=True, slots=True)
class Call:
    """Something to do next.

    Attributes:
        python: What one would type.
        does: What comes of it: "goes on".
        shell: The words of the same on the command line: a command and its arguments ("resume", "f460df"), or
            an option ("--url", "https://sis.example.com"). None: it makes sense in Python alone.
    """

    python: str
    does: str
    shell: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meant:
    """A name that may have been meant where an unknown one was given; the text itself asks.

    Attributes:
        name: The name.
        does: What comes of it.
    """

    name: str
    does: str = "was perhaps meant"


Remedy = Argument | Call | Meant


def nearest(name: str, names: Iterable[str]) -> Message:
    """Return the tail of a message that suggests names spelt like `name`, in any case; empty if none is."""
    import difflib  # not needed to start

    known = {other.lower(): other for other in names}
    found = [known[other] for other in difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.6)]
    asked = f"; did you mean {' or '.join(map(repr, found))}?" if found else ""
    return Message(asked, *map(Meant, found))


class Message(str):
    """A text that says what is wrong, and names ways out; as a text it does both in Python.

    Args:
        parts: Texts, which follow each other, and remedies, which are named after them. A text that is a
            message itself brings its own remedies.

    Attributes:
        what: What is wrong, without the ways out.
        remedies: The ways out.

    Example:
        >>> Message("the first: ", Message("too short"), Argument("skip_problems", "sends the others", True))
        'the first: too short; skip_problems=True sends the others'
    """

    __slots__ = ("remedies", "what")

    what: str
    remedies: tuple[Remedy, ...]

    def __new__(cls, *parts: str | Remedy) -> Message:  # noqa: D102 - the class says it
        texts = [part for part in parts if isinstance(part, str)]
        found = [remedy for part in parts for remedy in _remedies(part)]
        what, remedies = "".join(map(what_of, texts)), tuple(_unlike(found))
        message = super().__new__(cls, _sentence(what, remedies, in_python))
        message.what, message.remedies = what, remedies
        return message

    def __reduce__(self) -> tuple[type[Message], tuple[str | Remedy, ...]]:
        return Message, (self.what, *self.remedies)


def no_list(name: str, given: object) -> TypeError:
    """Return the error for a text or the like that was given where an argument takes several.

    >>> no_list("fields", "name")
    TypeError("fields takes a list: fields=['name'] is one")
    """
    return TypeError(Message(f"{name} takes a list", Argument(name, "is one", [given])))


def what_of(text: str) -> str:
    """Return what a text says without the ways out."""
    return text.what if isinstance(text, Message) else text


def message_of(error: BaseException) -> str:
    """Return what an error says, as the message that it was made with if that was one."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, Message) else str(error)


def worded(text: str, spell: Callable[[Remedy], str | None]) -> str:
    """Return a text with the ways out in the words of a face.

    >>> worded(Message("no table", Call("sp.schemas()", "lists them", ("schemas",))), lambda _: None)
    'no table'

    Args:
        text: A message, or any other text, which stays as it is.
        spell: Returns what the face calls a remedy, None for one that it does not have.
    """
    return _sentence(text.what, text.remedies, spell) if isinstance(text, Message) else text


def in_python(remedy: Remedy) -> str | None:
    """Return a remedy as one would type it in Python; None for what the text itself says."""
    if isinstance(remedy, Meant):
        return None
    if isinstance(remedy, Call):
        return remedy.python
    return f"{remedy.name}=" if remedy.is_asked else f"{remedy.name}={remedy.value!r}"


def _sentence(what: str, remedies: tuple[Remedy, ...], spell: Callable[[Remedy], str | None]) -> str:
    ways = ", ".join(f"{word} {remedy.does}" for remedy in remedies if (word := spell(remedy)))
    if not ways or not what:
        return what or ways
    if what.endswith(("?", ".")):
        return f"{what} {ways}"
    return f"{what}{'; ' if ': ' in what else ': '}{ways}"  # a sentence takes one colon


def _remedies(part: str | Remedy) -> tuple[Remedy, ...]:
    if isinstance(part, Argument | Call | Meant):
        return (part,)
    return part.remedies if isinstance(part, Message) else ()


def _unlike(remedies: list[Remedy]) -> list[Remedy]:
    """Leave out what is there already; values need not be hashable."""
    return [remedy for at, remedy in enumerate(remedies) if remedy not in remedies[:at]]
