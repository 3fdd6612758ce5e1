"""`sispy whoami`: server, user and token in force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from sispy.cli.exits import Misuse
from sispy.cli.login import again, client_of, profile_of
from sispy.cli.options import Session, answers, examples, session
from sispy.config import which_server
from sispy.errors import NotFound, Unauthorized
from sispy.remedies import Message
from sispy_pandas.commands.output import Answer, tell
from sispy_pandas.values.blocks import Column, Table

if TYPE_CHECKING:
    from sispy.config import Profile

_COLUMNS = (
    Column("", "fact"),
    Column("in force", "value", whole=True),
    Column("from", "from", "sentence", spare=True),
)


@click.command(epilog=examples("sispy whoami", "sispy whoami --profile test --output json"))
@answers("json", "csv", "md")
@session
def whoami(session: Session) -> None:
    """Show server, user and token in force, and where each comes from."""
    profile = profile_of(session, None)
    if not profile.url:
        raise Misuse(which_server())
    user, state = _checked(session, profile)
    source = profile.sources.get("token", "")
    rows = [
        ("server", profile.url, profile.sources.get("url")),
        ("user", user, profile.sources.get("username") if user != "unknown" else None),
        ("token", state, source or None),
    ]
    rules = str(profile.rules)
    facts = [*rows, ("rules", rules, f"profile {profile.rules.profile!r}" if rules else None)]
    document = {name: {"value": value, "from": origin} for name, value, origin in facts}
    table = Table(_COLUMNS, facts if rules else rows)
    tell(session, Answer("whoami", table, document=lambda: document))
    if state == "refused" and source.startswith("SIS_TOKEN"):
        raise Unauthorized(
            Message(f"the server refuses the token of {source}: mend or unset it", again("gets another"))
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
