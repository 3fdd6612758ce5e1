"""`sispy edit`: the grid and its review in the browser, for people without a notebook."""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import sys
import tempfile
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import fields as field_names
from sispy.cli.exits import Exit, Misuse, misuse
from sispy.cli.options import Session, examples, session
from sispy.cli.terminal import out
from sispy.encoding import one_address
from sispy.remedies import Call, Message
from sispy_pandas.commands.inputs import several
from sispy_pandas.commands.journals import described
from sispy_pandas.commands.sending import stoppable
from sispy_pandas.commands.tables import filtered, of_table, query_of, table_of
from sispy_pandas.pushing import journal
from sispy_pandas.values.blocks import count

from ..values.extras import optional

if TYPE_CHECKING:
    from sispy.client import Client
    from sispy_pandas.pushing.record import Record

_ASKED = "SISPY_EDIT"
"""The variable that tells the page what to show: of its own process alone, for it holds the token."""
_CELL = """\
import html, json, os
from IPython.display import display
from ipywidgets import HTML as Text
import sispy, sispy_pandas as sp

asked = json.loads(os.environ.pop("SISPY_EDIT"))
try:
    client = sispy.Client.from_profile(**asked["client"])
    rows = client.entities(asked["table"])
    live = sp.fetch(rows, asked["query"], fields=asked["fields"], progress=False)
    shown = [sp.FrameEditor(live, height=560)]
except (sispy.Error, OSError, ValueError) as error:
    shown = [Text(f"<b>{html.escape(str(error))}</b>")]
title, about = html.escape(asked["title"]), html.escape(asked["about"])
display(Text(f"<h2 style='margin:0'>{title}</h2>{about}"), *shown)
"""
_TEMPLATE = """\
{%- extends "voila/templates/lab/index.html.j2" -%}
{%- block html_head_js_logs -%}
<script>
document.title = TITLE;
addEventListener("beforeunload", event => {
  const edits = ["changed", "new", "deleted"].map(name => `.sispy-grid .counts .${name}`);
  if (!document.querySelector(edits.join())) return;
  event.preventDefault();
  event.stopImmediatePropagation();
});
</script>
{{ super() }}
{%- endblock html_head_js_logs -%}
"""
"""Has the browser ask before a page with edits is closed; Voila alone would close it at once."""
_POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' ws: data: blob:; frame-ancestors 'none'"
)
"""The page loads nothing from elsewhere: Voila's own template would."""
_LONGEST_FOLDER = 40
"""Characters of the path of a folder that a socket is in: the path of a socket has 107 at most."""
_GONE = 3.0
"""Seconds without a tab that end it: a page that is loaded anew is away for a moment."""
_LOADING = 120.0
"""Seconds that a page may take until it is there."""


@click.command(
    epilog=examples(
        "sispy edit host",
        "sispy edit host status=planned 'name~^web'",
        "sispy edit host rack.site.name=fra1 --fields name,status,os --no-browser",
    )
)
@of_table
@filtered
@click.option(
    "--fields",
    type=several,
    metavar="A,B",
    shell_complete=field_names,
    help="Columns to edit; a nested document stands for all below it.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", help="Port to listen on; default: a free one."
)
@click.option("--no-browser", is_flag=True, help="Print the page's address, and open no browser.")
@session
def edit(
    session: Session,
    name: str,
    filters: tuple[str, ...],
    fields: list[str] | None,
    port: int | None,
    no_browser: bool,
) -> Exit:
    """Edit the rows of table SCHEMA that meet every FILTER in the browser, and push what was reviewed there.

    Shows a grid to edit as a spreadsheet, with paste, undo and filters; "Review the changes" below it shows
    the plan, cell by cell, and pushes it. The page is for you alone, on this machine: its address holds a
    password that is a new one each time. Ctrl-C, or closing the last tab, ends it; edits that were not pushed
    are lost then. FILTERs are as in `sispy export --help`.
    """
    from sispy_pandas.pushing.options import need_token
    from sispy_pandas.reading.listing import schemas_of
    from sispy_pandas.reading.query import parse_query

    for package in ("voila", "anywidget", "ipykernel"):
        optional(package, "app")
    client = session.client()
    need_token(client)
    endpoint, schema = table_of(client, name)
    q = query_of(endpoint, filters)
    query = {"q": q} if q else {}
    try:
        parse_query(schema, query, fields, schemas_of(client))
    except ValueError as error:
        raise misuse(error) from error
    port = _free_port(port or 0)
    session.say(f"{name}: {count(endpoint.count(q), 'row')}; the page is being set up")
    title = " ".join([name, *filters])
    whom = {"name": session.profile, "url": session.url, "timeout": session.timeout}
    asked = {
        "client": {
            **{key: value for key, value in whom.items() if value is not None},
            "auth_token": client.auth_token,
            "username": client.username,
        },
        "table": name,
        "query": query,
        "fields": fields,
        "title": title,
        "about": f"on {client.url}" + (f" as {client.username}" if client.username else ""),
    }
    began = int(time.time() * 1000)
    _serve(session, title, json.dumps(asked), port=port, browse=not no_browser)
    return _tell_pushes(session, client, name, began)


def _serve(session: Session, title: str, asked: str, *, port: int, browse: bool) -> None:
    """Serve the page until Ctrl-C, or until its last tab is closed."""
    from tornado.ioloop import IOLoop, PeriodicCallback  # late, as Voila: the extra brings them

    began = int(time.time() * 1000)
    with tempfile.TemporaryDirectory(prefix="sispy-edit-") as name:
        folder, tabs = Path(name), _Tabs()
        _write_page(folder, title)
        path = os.pathsep.join(filter(None, [name, os.environ.get("JUPYTER_PATH")]))
        os.environ |= {_ASKED: asked, "JUPYTER_PATH": path}
        os.environ.pop("JUPYTER_TOKEN", None)  # else the page's password would not be a new one
        app = optional("voila.app", "app").Voila(
            config_file_paths=[],  # what lies about in the current folder is not run
            notebook_path=str(folder / "edit.ipynb"),
            ip="127.0.0.1",
            port=port,
            port_retries=0,
            open_browser=False,
            auto_token=True,
            log_level=logging.CRITICAL,
            connection_dir_root=name,
            tornado_settings={
                "headers": {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"},
                "allow_remote_access": False,
                "local_hostnames": ["localhost", "127.0.0.1"],
            },
        )
        app.config.VoilaConfiguration.template = "sispy-edit"
        app.config.VoilaConfiguration.extension_denylist = ["@jupyter-notebook/lab-extension"]
        if os.name == "posix" and len(name) < _LONGEST_FOLDER:
            app.config.KernelManager.transport = (
                "ipc"  # what goes over TCP, everybody on this machine may read
            )
        app.initialize([])
        for talks in ("tornado", app.log.name):
            logging.getLogger(talks).setLevel(logging.CRITICAL)
        waited: list[str] = []

        def begin() -> None:
            address = f"http://127.0.0.1:{app.port}/?token={app.identity_provider.token}"
            out(address)
            if browse and not _browsed(address, folder):
                session.say("no browser was found: open this address in one of this machine")
            session.say("Ctrl-C, or closing the last tab, ends it")

        def look() -> None:
            if not (stopped() or tabs.are_gone(app.kernel_manager)):
                return
            if not _under_way(began):
                app.ioloop.stop()
            elif not waited:
                waited.append("a push")
                session.say("a push is under way: it ends first")

        IOLoop.current().add_callback(begin)
        PeriodicCallback(look, 250).start()
        with stoppable("ending; once more ends it at once") as stopped:
            app.start()


def _write_page(folder: Path, title: str) -> None:
    """Write the notebook, and what runs it: this very Python."""
    kernel = {"name": "sispy-edit", "display_name": "sispy edit", "language": "python"}
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": "edit",
        "metadata": {},
        "source": _CELL,
        "outputs": [],
        "execution_count": None,
    }
    notebook = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "edit.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    spec = folder / "kernels" / "sispy-edit"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    told = {"argv": argv, "display_name": "sispy edit", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(told), encoding="utf-8")
    template = folder / "voila" / "templates" / "sispy-edit"
    template.mkdir(parents=True)
    (template / "conf.json").write_text(json.dumps({"base_template": "lab"}), encoding="utf-8")
    name = json.dumps(title).replace("<", r"\u003c").replace("{", r"\u007b")
    (template / "index.html.j2").write_text(_TEMPLATE.replace("TITLE", name), encoding="utf-8")


class _Tabs:
    """The tabs of the page, as its kernels know them: each page has one, and is connected to it."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}
        self._seen: set[str] = set()
        self._left: float | None = None

    def are_gone(self, kernels: Any) -> bool:
        """Return whether there were tabs, and the last one was closed some seconds ago."""
        now, known = time.monotonic(), kernels.list_kernel_ids()
        there = {one for one in known if kernels.kernel_model(one)["connections"]}
        self._seen |= there
        self._seen |= {one for one in known if now - self._begun.setdefault(one, now) > _LOADING}
        is_loading = not self._seen.issuperset(known)
        if there or is_loading or not self._seen:
            self._left = None
        elif self._left is None:
            self._left = now
        return self._left is not None and now - self._left > _GONE


def _free_port(wanted: int) -> int:
    """Return a port that nobody listens on; 0 wants any.

    Raises:
        Misuse: Somebody listens on the one that is wanted.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            said = f"port {wanted} cannot be had: {error.strerror}"
            raise Misuse(f"{said}; without --port it is a free one") from error
        return int(probe.getsockname()[1])


def _browsed(address: str, folder: Path) -> bool:
    """Open an address in the browser; by a file, for what programs are called with everybody may read."""
    page = folder / f"{secrets.token_hex(8)}.html"
    page.touch(mode=0o600)
    page.write_text(f'<meta charset="utf-8"><meta http-equiv="refresh" content="0; url={address}">')
    try:
        return webbrowser.open(page.as_uri())
    except webbrowser.Error:
        return False


def _under_way(began: int) -> bool:
    """Return whether a push that began since is writing at this moment."""
    return any(journal.in_use(record.path) for record in _since(began))


def _since(began: int) -> list[Record]:
    from sispy_pandas.pushing.pushes import kept

    return [record for record in kept({}) if record.begin["at"] >= began]


def _tell_pushes(session: Session, client: Client, table: str, began: int) -> Exit:
    """Say what was pushed meanwhile, and how to go back or on."""
    status = Exit.DONE
    for record in reversed(_since(began)):
        if (record.head["schema"], one_address(record.head["server"])) != (table, one_address(client.url)):
            continue
        name = journal.short(record.path)
        undo = Call("", "puts the old values back", ("undo", name))
        resume = Call("", "goes on", ("resume", name))
        status = Exit.INTERRUPTED if record.open else status
        session.say(Message(f"pushed: {described(record)}", *([resume] if record.open else []), undo))
    return status
