"""The config file: where it is, what it holds, and how a profile in it is changed."""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import sys
import tomllib
import warnings
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping


def config_file() -> Path:
    """Return the path of the config file: SIS_CONFIG, else in the user's config folder."""
    if path := os.environ.get("SIS_CONFIG"):
        return Path(path)
    if sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA") or Path.home() / "AppData/Roaming")
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "sispy" / "config.toml"


def read_config() -> dict[str, Any]:
    """Read the config file, empty if there is none; warns where others may read its tokens.

    Raises:
        ValueError: it is no TOML, or not of the form that `sispy.config` shows.
    """
    path = config_file()
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            config = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as exc:
        raise ValueError(f"{path}: {exc}") from exc
    profiles = config.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(item, dict) for item in profiles.values()):
        raise ValueError(f"{path}: profiles are tables such as [profiles.prod]")
    if (
        sys.platform != "win32"
        and stat.S_IMODE(mode) & 0o077
        and any("token" in p for p in profiles.values())
    ):
        shown = printable(path)
        warnings.warn(f"{shown} holds tokens and others may read it: chmod 600 {shown}", stacklevel=2)
    return config


def update_profile(name: str, values: Mapping[str, str | datetime | None]) -> Path:
    """Write values into a profile of the config file and leave everything else there as it is.

    Args:
        name: the profile; it is made if need be.
        values: key -> value; None removes the key.

    Returns:
        The path of the file; only its owner may read it.

    Raises:
        ValueError: the name has other characters than letters, digits, "_" and "-".
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ValueError(f"a profile's name has letters, digits, _ and - only, got {name!r}")
    path = config_file()
    read_config()  # a file that is broken already is not to be made worse
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    text = _edited(text, f"[profiles.{name}]", values)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ValueError(f"{path}: profile {name!r} has to stand below a line [profiles.{name}]") from exc
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = path.resolve()  # a link stays one
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def _edited(text: str, head: str, values: Mapping[str, str | datetime | None]) -> str:
    lines = text.splitlines()
    if head not in (line.split("#")[0].strip() for line in lines):
        lines += ["", head] if lines else [head]
    start = [line.split("#")[0].strip() for line in lines].index(head) + 1
    end = next((n for n in range(start, len(lines)) if lines[n].lstrip().startswith("[")), len(lines))
    ours = [line for line in lines[start:end] if line.split("=")[0].strip() not in values]
    while ours and not ours[-1].strip():
        ours.pop()
    ours += [f"{key} = {_toml(value)}" for key, value in values.items() if value is not None]
    rest = ["", *lines[end:]] if end < len(lines) else []
    return "\n".join([*lines[:start], *ours, *rest]) + "\n"


def _toml(value: str | datetime) -> str:
    # a JSON string is a TOML string, but for DEL, which a token or address does not hold
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else json.dumps(value)
