"""Locks of open files: the system frees them when their owner ends, however it ends."""

from __future__ import annotations


def try_lock(handle: int) -> bool:
    """Lock an open file if nobody else has, and tell whether that was so.

    It stops other locks alone; on Windows others cannot read the beginning of the file meanwhile, either.
    """
    import portalocker  # late: it reads its own metadata, a third of the time of `sispy plan --help`

    try:
        portalocker.lock(handle, portalocker.LOCK_EX | portalocker.LOCK_NB)
    except portalocker.AlreadyLocked:
        return False
    return True


def unlock(handle: int) -> None:
    """Free a file that this process has locked."""
    import portalocker  # late, as above

    portalocker.unlock(handle)
