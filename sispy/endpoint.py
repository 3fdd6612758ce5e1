"""Where sispy 1.1 has `Endpoint`: what was written for it imports it from here."""

from .client import Endpoint

__all__ = ["Endpoint"]
