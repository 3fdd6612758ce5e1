"""Client of the SIS CMDB's REST API: start with `sispy.Client`."""

from importlib import import_module

TYPE_CHECKING = False  # as type checkers take it; the module `typing` takes a while to import
if TYPE_CHECKING:
    from logging import NullHandler as NullHandler  # a name of 1.1, as is LOG

    from .client import Client, Endpoint
    from .errors import (
        BadAnswer,
        BadRequest,
        CASConflict,
        ConnectionLost,
        DuplicateKey,
        Error,
        NoAnswer,
        NotFound,
        NotJSON,
        PayloadTooLarge,
        Redirected,
        Refused,
        ServerError,
        Timeout,
        TLSFailed,
        TooManyRequests,
        Unauthorized,
        UnknownHost,
    )
    from .response import Meta, RawPage, Response
    from .transport import LOG as LOG

__all__ = [
    "BadAnswer", "BadRequest", "CASConflict", "Client", "ConnectionLost", "DuplicateKey", "Endpoint", "Error",
    "Meta", "NoAnswer", "NotFound", "NotJSON", "PayloadTooLarge", "RawPage", "Redirected", "Refused",
    "Response", "ServerError", "TLSFailed", "Timeout", "TooManyRequests", "Unauthorized", "UnknownHost",
]  # fmt: skip

_HOMES = {"Client": "client", "Endpoint": "client", "LOG": "transport", "NullHandler": "transport"} | (
    dict.fromkeys(("Meta", "RawPage", "Response"), "response")
)
"""Name -> the module that has it, where that is not `errors`."""


def __getattr__(name: str) -> object:
    """Import what a name stands for when it is used: the start of a command needs little of it."""
    if name == "__version__":
        from importlib import metadata

        return tuple(int(part) for part in metadata.version("sispy").split(".")[:3])
    if name in ("client", "errors", "http", "response"):  # were there after `import sispy` in 1.1
        return import_module(f".{name}", __name__)
    if name not in __all__ and name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f".{_HOMES.get(name, 'errors')}", __name__), name)
    return found


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
