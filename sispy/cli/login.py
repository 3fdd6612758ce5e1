"""The commands login, logout and whoami."""

from __future__ import annotations

import getpass
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sispy.cli.exits import Misuse, misuse
from sispy.cli.options import JSON_VERSION, Session, answers, examples, password_from_stdin, session
from sispy.cli.terminal import is_terminal, out, table
from sispy.config import Profile, read_config, resolve, update_profile, which_server
from sispy.errors import BadRequest, NotFound, Unauthorized
from sispy.remedies import Call, Message
from sispy.text import json_seen, printable

if TYPE_CHECKING:
    from sispy.client import Client


@click.command(
    epilog=examples(
        "sispy login https://sis.example.com",
        "sispy login --profile test --user anna https://test.example.com",
        "sispy login https://sis.example.com --ca company.pem",
        "sispy login --user importer --persistent nightly --password-stdin < pw.txt",
    )
)
@click.argument("address", metavar="[URL]", required=False)
@click.option("--user", metavar="NAME", help="User to log in; asked for unless known.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option(
    "--persistent", metavar="DESC", help="Keep a token without end, described by DESC, for scripts."
)
@click.option(
    "--ca",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="Certificates to trust, as of your company; remembered in the profile.",
)
@session
def login(
    address: str | None,
    user: str | None,
    password_stdin: bool,
    persistent: str | None,
    ca: Path | None,
    session: Session,
) -> None:
    """Log in to a server and remember the token, never the password.

    Token, address and user go into a profile of the config file, which only you
    may read; every other command finds them there. A token lasts 8 hours.
    """
    profile = _profile(session, address)
    url = profile.url or _ask("Address of the server", "URL")
    name = user or profile.username or _ask("User", "--user")
    kept = {} if ca is None else {"ca_file": str(ca.resolve())}
    client = _client(session, profile, url, verify=kept.get("ca_file"))
    password = _password(name, url, stdin=password_stdin)
    try:
        client.authenticate(name, password)
    except Unauthorized as exc:
        said = Message(f"{url} does not let {name} in: {exc}", _again("asks again"))
        raise Unauthorized(said, exc.http_status_code, exc.code) from exc
    token, expires = client.auth_token, client.token_expires
    if persistent is not None:
        token, expires = _persistent(client, name, persistent), None
    values = {"url": url, "username": name, "token": token, "expires": expires, **kept}
    path = update_profile(profile.name, values)
    until = f"until {expires.astimezone():%Y-%m-%d %H:%M}" if expires else "without end"
    session.say(f"Logged in to {url} as {name} {until}: profile {profile.name!r} in {path}")
    for variable in ("SIS_TOKEN", "SIS_TOKEN_FILE", "SIS_PASSWORD"):
        if os.environ.get(variable):
            session.say(f"Note that {variable} is set: it wins over the token of the profile.")


@click.command(epilog=examples("sispy logout", "sispy logout --profile test"))
@session
def logout(session: Session) -> None:
    """Delete the remembered token, on the server and here."""
    name = _profile(session, session.url).name
    kept = read_config().get("profiles", {}).get(name, {})  # whatever the environment says beside it
    token, url, user = kept.get("token"), kept.get("url"), kept.get("username")
    if not token or not url or not user:
        session.say(f"Profile {name!r} holds no token: nothing to do.")
        return
    profile = Profile(name, url, user, token, ca_file=kept.get("ca_file"))
    try:
        _client(session, profile, url).tokens(user).delete(token)
    except (NotFound, Unauthorized):
        session.say("The server does not know the token any more.")
    update_profile(name, {"token": None, "expires": None})
    session.say(f"Logged out of {url}: the token of profile {name!r} is deleted.")


@click.command(epilog=examples("sispy whoami", "sispy whoami --profile test --output json"))
@answers("json")
@session
def whoami(session: Session) -> None:
    """Show server, user and token in force, and where each comes from."""
    profile = _profile(session, None)
    if not profile.url:
        raise Misuse(which_server())
    user, state = _checked(session, profile)
    source = profile.sources.get("token", "")
    rows = [
        ("server", profile.url, profile.sources.get("url", "")),
        ("user", user, profile.sources.get("username", "") if user != "unknown" else ""),
        ("token", state, source),
    ]
    rules = str(profile.rules)
    if rules or session.output == "json":
        rows.append(("rules", rules, f"profile {profile.rules.profile!r}" if rules else ""))
    if session.output == "json":
        facts = {name: {"value": value, "from": origin or None} for name, value, origin in rows}
        out(json_seen({"kind": "whoami", "version": JSON_VERSION, **facts}, indent=2))
    else:
        out(table(("", "in force", "from"), rows, keep=("in force",), wrap=True))
    if state == "refused" and source.startswith("SIS_TOKEN"):
        raise Unauthorized(
            Message(f"the server refuses the token of {source}: mend or unset it", _again("gets another"))
        )
    if state in ("none", "refused"):
        said = "nobody is logged in" if state == "none" else "the server refuses the token"
        raise Unauthorized(Message(said, _again("gets one")))


def _again(does: str) -> Call:
    return Call("`sispy login`", does, ("login",))


def _profile(session: Session, address: str | None) -> Profile:
    try:
        return resolve(session.profile, url=address or session.url)
    except ValueError as error:
        raise misuse(error) from error


def _client(session: Session, profile: Profile, url: str, *, verify: str | None = None) -> Client:
    from sispy.client import Client
    from sispy.config import options_of

    options = {"timeout": session.timeout, "verify": verify}
    try:
        return Client(url, auth_token=profile.token, **options_of(profile, options))
    except ValueError as error:
        raise misuse(error) from error


def _ask(question: str, option: str) -> str:
    if not is_terminal(sys.stdin):
        raise Misuse(f"{question}? There is no terminal to ask: give {option}.")
    return str(click.prompt(question, err=True))


def _password(name: str, url: str, *, stdin: bool) -> str:
    if stdin:
        return password_from_stdin()
    if is_terminal(sys.stdin):
        password = getpass.getpass(printable(f"Password of {name} at {url}: "))
    else:
        raise Misuse("there is no terminal to ask for the password: give --password-stdin.")
    if not password:
        raise Misuse("the password is empty.")
    return password


def _persistent(client: Client, name: str, description: str) -> str:
    """Make a token without end, and delete the one of the login, which has done its work."""
    tokens, login_token = client.tokens(name), str(client.auth_token)
    try:
        return str(tokens.create({"desc": description})["name"])
    except BadRequest as exc:
        if client.users.get(name).to_dict().get("super_user"):
            raise Unauthorized(
                f"{name} is a super user, and SIS gives those no persistent tokens: a leaked one would open "
                "everything for ever. Use a user with just the roles that the script needs",
                exc.http_status_code,
                exc.code,
            ) from exc
        raise
    finally:
        tokens.delete(login_token)


def _checked(session: Session, profile: Profile) -> tuple[str, str]:
    """Return the user, as far as the server confirms it, and the state of the token."""
    user = profile.username or "unknown"
    if not profile.token:
        return user, "none, a password logs in" if profile.password else "none"
    if profile.username is None:
        return user, "unchecked"
    try:
        token = _client(session, profile, profile.url).tokens(user).get(profile.token)
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
