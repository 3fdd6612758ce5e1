"""The command line: `sispy COMMAND`."""

try:
    from .root import main
except KeyboardInterrupt:  # Ctrl-C before there is anything to tell
    raise SystemExit(130) from None

__all__ = ["main"]
