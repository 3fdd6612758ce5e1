"""Profiles: which server, as whom, trusting which certificates, and where each of these was said.

Explicit arguments win, and a profile that one of them names; then come SIS_URL, SIS_TOKEN, SIS_TOKEN_FILE,
SIS_USER, SIS_PASSWORD and SIS_PROFILE, then the config file, then netrc. A token or password of the config
file is used for the address it stands beside and for no other.

The config file is ~/.config/sispy/config.toml ($XDG_CONFIG_HOME/sispy, on Windows %APPDATA%/sispy), or what
SIS_CONFIG names:

```toml
default = "prod"                       # the profile in force where none is named

[profiles.prod]
url = "https://sis.example.com"
username = "anna"
token = "..."                          # written by `sispy login`, with `expires`; or, in place of it,
token_command = "pass show sis/anna"   # a program that prints the token, such as a keyring's
ca_file = "/etc/ssl/company.pem"
read_only = false                      # true: nothing is written there
require_note = "^CHG"                  # a pattern that is found in the note of every push
production = true                      # every question says so
```

What is said about writing holds for the address, however it is named: by an argument, a variable, the
profile itself. Of two profiles of one address the one that is named counts, else the first with rules. A key
that is spelt like a rule is an error.
"""

from __future__ import annotations

import json
import netrc
import os
import re
import secrets
import shlex
import stat
import sys
import tomllib
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .encoding import one_address, token_text
from .remedies import Argument, Call, Message, nearest
from .rules import Rules
from .text import printable
from .token_command import ask_token

if TYPE_CHECKING:
    from collections.abc import Mapping


_TEXTS = ("url", "username", "token", "token_command", "ca_file")
_SWITCHES = ("read_only", "production")
_RULES = frozenset((*_SWITCHES, "require_note"))
_ARGUMENT = "argument"
"""What `sources` calls the arguments of `resolve`."""
_SEVERAL = 3
"""Profiles that an error names to choose from, at most."""
_LARGEST = 1 << 16
"""Characters of a file of secrets."""


@dataclass(frozen=True)
class Profile:
    """Hold what is in force for a connection.

    Attributes:
        name: Name of the profile in the config file; it may not exist there yet.
        url: Address of the server, "" where nobody says.
        username: Who the user is, None if unknown.
        token: Token for writes, None without one; see `asked_token`.
        token_command: What prints the token, None where there is a token, or neither.
        password: To log in with, None without one.
        expires: When the token ends, None where that is unknown or never.
        ca_file: Certificates to trust, None for the usual ones.
        rules: What it says about writing.
        sources: For each of these, where it comes from, in words.
    """

    name: str
    url: str = ""
    username: str | None = None
    token: str | None = field(default=None, repr=False)
    token_command: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    expires: datetime | None = None
    ca_file: str | None = None
    rules: Rules = field(default_factory=Rules)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def expired(self) -> bool:
        """Return whether the token is at its end, or so near that the next call may miss it."""
        return self.expires is not None and (self.expires - datetime.now(UTC)).total_seconds() < 60

    @property
    def stored(self) -> bool:
        """Return whether the token stands in the config file."""
        return self.sources.get("token", "").startswith(str(config_file()))

    def asked_token(self) -> str | None:
        """Return the token; if `token_command` has to print it, this may take a while and ask the user.

        Raises:
            Unauthorized: The command gives none.
            ValueError: What is given as a token is none.
        """
        if self.token_command:
            return ask_token(self.token_command, f"profile {self.name!r}")
        place = self.sources.get("token", _ARGUMENT)
        named = {_ARGUMENT: "auth_token"}.get(place, place)
        return self.token and token_text(self.token, named)


def resolve(
    name: str | None = None,
    *,
    url: str | None = None,
    auth_token: str | None = None,
    username: str | None = None,
    password: str | None = None,
) -> Profile:
    """Return what is in force; None means that an argument does not say.

    Raises:
        ValueError: A profile is named that the config file does not hold, and no address beside it.
    """
    config, path, env = read_config(), config_file(), os.environ
    profiles = config.get("profiles", {})
    named = name or env.get("SIS_PROFILE")
    chosen = named or config.get("default") or "default"
    kept = profiles.get(chosen, {})
    file = f"{path}, profile {chosen!r}"

    places = [(env.get("SIS_URL"), "SIS_URL"), (kept.get("url"), file)]
    ranked = places[::-1] if name else places
    here, where = next(((value, source) for value, source in [(url, _ARGUMENT), *ranked] if value), ("", ""))
    if named and chosen not in profiles and not (url if name else here):
        known = ", ".join(profiles) or "none"
        makes = f"`sispy login URL --profile {chosen}` makes one"
        raise ValueError(f"{path} has no profile {chosen!r} (it has: {known}); {makes}")
    if one_address(here) != one_address(str(kept.get("url", ""))):
        kept = {}  # what is kept for one server is not shown to another
    rules = _rules(chosen, kept) if kept else _rules_of(here, profiles)

    by_command = {"token": f"token_command, {file}"} if kept.get("token_command") else {}
    stored = _Login(
        file, kept.get("username"), kept.get("token"), kept.get("token_command"), names=by_command
    )
    logins = [_environment(), stored]
    argument = _Login(_ARGUMENT, username, auth_token, password=password)
    user, login = _choose([argument, *(logins[::-1] if name else logins), _netrc(here)])
    sources = {
        "url": where,
        "username": user.source("username") if user.username else "",
        "token": login.source("token") if login.token or login.token_command else "",
        "password": login.source("password") if login.asked_password else "",
    }
    return Profile(
        name=chosen,
        url=here,
        username=user.username,
        token=login.token,
        token_command=login.token_command,
        password=login.asked_password,
        expires=_moment(kept.get("expires")) if login.place == file else None,
        ca_file=kept.get("ca_file"),
        rules=rules,
        sources={name: source for name, source in sources.items() if source},
    )


def _rules(name: str, item: Mapping[str, Any]) -> Rules:
    said = {key: item[key] for key in item if key in _RULES}
    return Rules(name, **said) if said else Rules()


def _rules_of(url: str, profiles: Mapping[str, Any]) -> Rules:
    """Return the rules of an address, if a profile has it that has some."""
    for name, item in profiles.items():
        if url and one_address(str(item.get("url", ""))) == one_address(url) and _RULES & item.keys():
            return _rules(name, item)
    return Rules()


def which_server() -> Message:
    """Return the message for a missing address, with all the places where it may be given."""
    profiles = read_config().get("profiles", {})
    known = [
        Call(f"sispy.Client.from_profile({name!r})", f"is {printable(profile['url'])}", ("--profile", name))
        for name, profile in profiles.items()
        if profile.get("url")
    ]
    return Message(
        "which server?",
        *known[:_SEVERAL],
        Argument("url", "or SIS_URL names one"),
        Call("`sispy login URL`", "remembers one", ("login", "URL")),
        *([] if known else [Call("`sispy sandbox`", "starts one to try", ("sandbox",))]),
    )


def options_of(profile: Profile, options: dict[str, Any]) -> dict[str, Any]:
    """Return arguments of `Client`: with the profile's CA file unless they or SIS_CA_FILE name one."""
    if profile.ca_file and options.get("verify") is None and not os.environ.get("SIS_CA_FILE"):
        return {**options, "verify": profile.ca_file}
    return options


@dataclass(frozen=True)
class _Login:
    """Hold what one place says about the user; `names` says by which variable, where that matters."""

    place: str = ""
    username: str | None = None
    token: str | None = field(default=None, repr=False)
    token_command: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def asked_password(self) -> str | None:
        """Return the password, unless there is a token to use."""
        return None if self.token or self.token_command else self.password

    @property
    def is_enough(self) -> bool:
        """Return whether one can log in with it."""
        return bool(self.token or self.token_command or self.password)

    def source(self, what: str) -> str:
        return self.names.get(what, self.place)


def _choose(logins: list[_Login]) -> tuple[_Login, _Login]:
    """Return the places that say who the user is, and the token or password: never another user's."""
    named = [login for login in logins if login.username]
    for number, login in enumerate(logins):
        asked = next((other for other in logins[:number] if other.username), None)
        if login.is_enough and (asked is None or login.username in (None, asked.username)):
            return asked or (login if login.username else next(iter(named), _Login())), login
    return next(iter(named), _Login()), _Login()


def _environment() -> _Login:
    env = os.environ
    names = {"username": "SIS_USER", "token": "SIS_TOKEN", "password": "SIS_PASSWORD"}
    token = env.get("SIS_TOKEN")
    if not token and (path := env.get("SIS_TOKEN_FILE")):
        names["token"] = "SIS_TOKEN_FILE"  # noqa: S105 -- the name of a variable
        try:
            with Path(path).open(encoding="utf-8") as file:
                token = file.read(_LARGEST + 1).strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise ValueError(f"SIS_TOKEN_FILE: {exc}") from exc
        if len(token) > _LARGEST:
            raise ValueError(f"SIS_TOKEN_FILE: {path} holds more than a token")
    return _Login("environment", env.get("SIS_USER"), token, password=env.get("SIS_PASSWORD"), names=names)


def _netrc(url: str) -> _Login:
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        hosts = netrc.netrc(path).hosts if url and _is_small(path) else {}
    except netrc.NetrcParseError as exc:  # its own words hold those of the file, passwords among them
        raise ValueError(f"{path}: line {exc.lineno} cannot be read") from None
    except UnicodeDecodeError as exc:
        raise ValueError(f"{path}: {exc}") from exc
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:  # half an IPv6 address: the client says so
        host = ""
    # the `default` entry is left alone: it would send a password to any server
    user, _, password = hosts.get(host, ("", "", ""))
    return _Login(str(path), user or None, password=password or None)


def _is_small(path: Path) -> bool:
    """Return whether there is a file to read; a device such as /dev/null stands for none.

    Raises:
        ValueError: It is larger than any netrc file.
    """
    if not path.exists() or path.is_char_device():
        return False
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"{path} is too large for a netrc file")
    return True


def _moment(value: object) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None


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
        ValueError: It is not TOML, or not of the form that `sispy.config` shows.
    """
    path = config_file()
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            config = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except ValueError as exc:  # no TOML, or no UTF-8
        raise ValueError(f"{path}: {exc}") from exc
    profiles = config.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(item, dict) for item in profiles.values()):
        raise ValueError(f"{path}: profiles are tables such as [profiles.prod]")
    if not isinstance(config.get("default", ""), str):
        raise ValueError(f"{path}: default is the name of a profile, in quotes")
    if stray := sorted(_RULES & config.keys()):
        raise ValueError(f"{path}: {stray[0]} has to stand below a line such as [profiles.prod]")
    for name, item in profiles.items():
        for key in item.keys() - {*_TEXTS, *_RULES, "expires"}:
            if meant := nearest(key, _RULES):  # a rule that does not hold is worse than none
                raise ValueError(Message(f"{path}, profile {name!r}: there is no {printable(key)!r}", meant))
        if odd := [key for key in _TEXTS if not isinstance(item.get(key, ""), str)]:
            raise ValueError(f"{path}, profile {name!r}: {odd[0]} is a text, in quotes")
        if "token_command" in item:
            _check_command(f"{path}, profile {name!r}", item)
        for key in _SWITCHES:
            if not isinstance(item.get(key, False), bool):
                raise ValueError(f"{path}, profile {name!r}: {key} is true or false, without quotes")
        try:
            re.compile(item.get("require_note", ""))
        except (re.error, TypeError) as exc:
            raise ValueError(
                f"{path}, profile {name!r}: require_note is a pattern, in quotes: {exc}"
            ) from exc
    if (
        sys.platform != "win32"
        and stat.S_IMODE(mode) & 0o077
        and any("token" in p for p in profiles.values())
    ):
        shown = printable(path)
        warnings.warn(f"{shown} holds tokens and others may read it: chmod 600 {shown}", stacklevel=2)
    return config


def _check_command(where: str, item: Mapping[str, Any]) -> None:
    if "token" in item:
        raise ValueError(f"{where}: token or token_command, not both: delete one of the lines")
    try:
        empty = not shlex.split(item["token_command"])
    except ValueError as exc:
        raise ValueError(f"{where}: token_command is quoted as in a shell: {exc}") from exc
    if empty:
        raise ValueError(f"{where}: token_command names no program")


def update_profile(name: str, values: Mapping[str, str | datetime | None]) -> Path:
    """Write values into a profile of the config file and leave everything else there as it is.

    Args:
        name: The profile; it is made if need be.
        values: Key -> value; None removes the key.

    Returns:
        The path of the file; only its owner may read it.

    Raises:
        ValueError: The name has other characters than letters, digits, "_" and "-".
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
