"""A SIS server in the box: to try, demonstrate and test against."""

try:
    from sispy.sandbox.server import Sandbox
    from sispy.sandbox.web.faults import Faults, Seen
except ImportError as error:
    if error.name not in {"uvicorn", "h11", "msgspec"}:
        raise
    raise ImportError(f'the sandbox needs {error.name}: pip install ".[sandbox]"', name=error.name) from error

__all__ = ["Faults", "Sandbox", "Seen"]
