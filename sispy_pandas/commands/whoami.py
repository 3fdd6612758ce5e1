"""`sispy whoami`: server, user and token in force."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from sispy.cli.exits import Misuse
from sispy.cli.login import again, client_of, profile_of
from sispy.cli.options import Session, answers, examples, session, without_password
from sispy.config import which_server
from sispy.errors import NotFound, Unauthorized
from sispy.remedies import Message, nearest
from sispy_pandas.commands.output import Answer, tell
from sispy_pandas.values.blocks import Column, Table, objects

if TYPE_CHECKING:
    from sispy.config import Profile

_COLUMNS = (
    Column("", "fact"),
    Column("in force", "value", whole=True),
    Column("from", "from", "sentence", spare=True),
)
_VARIABLE_COLUMNS = (
    Column("variable", "variable"),
    Column("is", "value", whole=True),
    Column("and says", "says", "sentence", spare=True),
)
VARIABLES: dict[str, str] = {
    "SIS_URL": "the server's address",
    "SIS_PROFILE": "the profile of the config file",
    "SIS_USER": "the user",
    "SIS_TOKEN": "the token",
    "SIS_TOKEN_FILE": "the file that holds the token",
    "SIS_PASSWORD": "the password to log in with",
    "SIS_CONFIG": "the config file",
    "SIS_CA_FILE": "the certificates to trust, a file or folder",
    "SISPY_JOURNALS": "the folder of journals",
    "SISPY_LOCKS": "the folder by which pushes of this machine take turns",
}
"""Every variable that sispy reads, and what it says."""
_SECRETS = ("SIS_TOKEN", "SIS_PASSWORD")


@click.command(epilog=examples("sispy whoami --verbose", "sispy whoami --profile test --output json"))
@click.option("-v", "--verbose", is_flag=True, help="Show the variables in force, too: SIS_URL and the like.")
@answers("json", "csv", "md")
@session
def whoami(session: Session, verbose: bool) -> None:
    """Show server, user and token in force, and where each comes from."""
    profile = profile_of(session, None)
    if not profile.url:
        raise Misuse(which_server())
    user, state = _checked(session, profile)
    source = profile.sources.get("token", "")
    rows = [
        ("server", without_password(profile.url), profile.sources.get("url")),
        ("user", user, profile.sources.get("username") if user != "unknown" else None),
        ("token", state, source or None),
    ]
    rules = str(profile.rules)
    facts = [*rows, ("rules", rules, f"profile {profile.rules.profile!r}" if rules else None)]
    table, set_here = Table(_COLUMNS, facts if rules else rows), Table(_VARIABLE_COLUMNS, _variables())
    document = {name: {"value": value, "from": origin} for name, value, origin in facts}
    whole = {**document, "variables": objects(set_here)}
    blocks = [table, set_here] if verbose else [table]
    tell(session, Answer("whoami", table, document=lambda: whole, blocks=lambda: blocks))
    if state == "refused" and source.startswith("SIS_TOKEN"):
        raise Unauthorized(
            Message(f"the server refuses the token of {source}: correct or unset it", again("gets another"))
        )
    if state in ("none", "refused"):
        said = "nobody is logged in" if state == "none" else "the server refuses the token"
        raise Unauthorized(Message(said, again("gets one")))


def _checked(session: Session, profile: Profile) -> tuple[str, str]:
    """Return the user, as far as the server confirms it, and the state of the token."""
    user = profile.username or "unknown"
    if not profile.token and not profile.token_command:
        return user, "none, a password logs in" if profile.password else "none"
    if profile.username is None:
        return user, "unchecked"
    client = client_of(session, profile, profile.url)
    try:
        token = client.tokens(user).get(client.auth_token)
    except NotFound:
        return "unknown", f"not of {user}"
    except Unauthorized as exc:
        # the server says so of a good token as well, if it belongs to somebody else
        ended = exc.http_status_code != 401 or "expired" in exc.error
        return ("unknown", "refused") if ended else ("unknown", f"not of {user}")
    if "expires" not in token:
        return user, "valid without end"
    ends = datetime.now(UTC) + timedelta(milliseconds=token["expires"])
    return user, f"valid until {ends.astimezone():%Y-%m-%d %H:%M}"


def _variables() -> list[tuple[str, str, str]]:
    """Return the variables that are set, what they are unless that is secret, and what they say."""
    names = sorted(name for name in os.environ if name.startswith(("SIS_", "SISPY_")))
    said = {name: VARIABLES.get(name) or nearest(name, VARIABLES) for name in names}
    return [
        (name, _seen(name, os.environ[name]), says if name in VARIABLES else f"nothing{says}")
        for name, says in said.items()
        if says  # others may have names that begin so
    ]


def _seen(name: str, value: str) -> str:
    is_open = name in VARIABLES and name not in _SECRETS  # a name that is misspelt may hold a secret
    return without_password(value) if is_open else "***"
