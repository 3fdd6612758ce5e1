"""Client of the SIS CMDB's REST API: start with `sispy.Client`."""

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

LOG.addHandler(NullHandler())  # what nobody listens to is not printed


def __getattr__(name: str) -> object:
    if name == "__version__":  # read when asked for: the package metadata are slow to import
        from importlib import metadata

        return tuple(int(part) for part in metadata.version("sispy").split(".")[:3])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
