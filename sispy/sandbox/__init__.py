"""A SIS server in the box: to try, demonstrate and test against."""

from .faults import Faults, Seen
from .server import Sandbox

__all__ = ["Faults", "Sandbox", "Seen"]
