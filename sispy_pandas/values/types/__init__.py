"""What each SIS type is, a file per type: who imports one of them knows all that are listed here."""

from . import arrays, boolean, date, ip_address, mixed, number, object_id, text

__all__ = ["arrays", "boolean", "date", "ip_address", "mixed", "number", "object_id", "text"]
