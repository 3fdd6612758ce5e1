"""The sandbox as a thing to start and stop: a server in a thread of this process."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.server import ServerState

from sispy import Client
from sispy.sandbox.copying import Order, copy
from sispy.sandbox.samples import load
from sispy.sandbox.sis import writes
from sispy.sandbox.sis.disk import Disk
from sispy.sandbox.sis.envelope import now
from sispy.sandbox.sis.world import World
from sispy.sandbox.web import protocol
from sispy.sandbox.web.app import App, Log
from sispy.text import mask_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.web.faults import Faults, Seen

ROOT: Document = {"name": "root", "super_user": True}
"""Who writes what is there from the beginning."""


class Sandbox:
    """A SIS server of your own, in this process.

    It listens from `start` (or entering the context) to `stop`. Nothing is kept beyond, unless `data` names a
    file. It is no server for a network: use it on one machine.

    Args:
        samples: Whether there are sample data; a number says how many hosts, True is 2,000.
        data: SQLite file that keeps everything; it is made if it is not there.
        faults: What shall go wrong; see `Faults`.
        port: Port to listen on; 0 takes a free one.
        host: Address to listen on.
        user: Name of the super user.
        password: Of the super user and of the sample users; None makes one that nobody can guess, to be read
            in the attribute of this name.
        token_lifetime: Seconds until the token of a login expires.
        copy_from: Client of a server that is copied: tables, users, hiera, hooks; it is only read.
        only: Tables to copy, by name or with a query each; what they refer to comes along. None means all.
        history: How many commits of each row are copied, the newest ones, by one request per row.
        hooks: Whether the hooks of a copy are called.
        progress: Called with what is being copied, how much of it is there, and how much there will be.
        cors: Whether pages of other origins may read the answers, as the real server's.
        allow_hosts: Names by which it may be called, beside those of loopback and `host`.
        log: Called with method, target (tokens in it are masked) and status of each request.

    Raises:
        ValueError: An argument is of the wrong shape.

    Example:
        >>> from sispy.sandbox import Sandbox
        >>> with Sandbox(samples=10) as sis:
        ...     sis.client().entities("host").count({})
        10
    """

    def __init__(
        self,
        samples: bool | int = False,
        data: str | Path | None = None,
        faults: Faults | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        *,
        user: str = "root",
        password: str | None = None,
        token_lifetime: float = 28_800.0,
        copy_from: Client | None = None,
        only: Mapping[str, Mapping[str, Any]] | Sequence[str] | None = None,
        history: int = 0,
        hooks: bool = False,
        progress: Callable[[str, int, int], object] = lambda *_: None,
        cors: bool = False,
        allow_hosts: Sequence[str] = (),
        log: Log | None = None,
    ) -> None:
        _refuse(samples, only, history, copy_from)
        self.user = user
        self.password: str = password or secrets.token_hex(12)
        self.host = host
        self.port: int = port
        self.token: str = ""
        self.world: World = World()
        self._samples = samples
        self._data = data
        self._lifetime = token_lifetime
        wanted = only if only is None or isinstance(only, Mapping) else {name: {} for name in only}
        self._order = None if copy_from is None else Order(copy_from, wanted, history, progress)
        self.world.calls_copied_hooks = hooks
        self.world.users.password = self.password
        self._app = App(
            self.world,
            faults=faults,
            token_lifetime=token_lifetime,
            hosts=[host, *allow_hosts],
            cors=cors,
            log=log,
            mask=mask_path,
        )
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """Where the server listens, without the path of the API."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def faults(self) -> Faults:
        """What shall go wrong; may be set at any time."""
        return self._app.injector.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._app.injector.faults = faults

    @property
    def now(self) -> datetime:
        """What time it is on the server; may be set at any time, and goes on from there."""
        return datetime.fromtimestamp(self.world.context.clock() / 1000, UTC)

    @now.setter
    def now(self, moment: datetime) -> None:
        ahead = round(moment.timestamp() * 1000) - now()
        self.world.context.clock = lambda: now() + ahead

    @property
    def requests(self) -> list[Seen]:
        """The requests so far, the newest last."""
        return list(self._app.injector.seen)

    def counts(self) -> dict[str, int]:
        """Return the number of entities of each schema."""
        return {name: len(entities.collection) for name, entities in self.world.entities.items()}

    def client(self, user: str | None = None) -> Client:
        """Make a client for this server that is logged in.

        Args:
            user: Who; None is the super user. One whose password was set is expected to have his name as
                the password.

        Raises:
            NotFound: There is no such user.
            Unauthorized: The user has no role, or another password.
        """
        client = Client(self.url)
        if user is None or user == self.user:
            client._belongs(self.token, self.user)
        else:
            known = self.world.users.collection.find("name", user) or {}
            client.authenticate(user, user if known.get("pw") else self.password)
        return client

    def start(self) -> Sandbox:
        """Start to listen; after a stop, on the same port and with the same state as before.

        Raises:
            OSError: The port is taken.
            ValueError: The file of `data` is no sandbox's, or holds something else than this copy.
            sqlite3.Error: It cannot be written, as on a full disk.
            sispy.Error: The server that is copied does not answer; with `data` another start goes on.
        """
        if self._thread is not None:
            return self
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # Named in full, or asyncio leaves Nagle's algorithm on: 40 ms per answer on a kept connection.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, self.port))
            self.port = listener.getsockname()[1]
            self._app.disk = self._open()
        except BaseException:
            listener.close()
            raise
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener, ready)), name=f"sis-{self.port}", daemon=True
        )
        self._thread.start()
        ready.wait()
        return self

    def stop(self) -> None:
        """Stop to listen; connections are closed, hook calls that wait are given up."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _open(self) -> Disk | None:
        """Open the file, if there is one, and fill the world, if that was not done before."""
        disk = Disk(self._data) if self._data is not None else None
        try:
            if not self.token:
                self._fill(disk)
        except BaseException:
            if disk is not None:
                disk.close()
            raise
        return disk

    def _fill(self, disk: Disk | None) -> None:
        """Put in what the file holds, a copy or the sample data, and the super user."""
        world = self.world
        if disk is not None:
            disk.load(world)
        world.tokens.purge()
        if self._order is not None:
            copy(world, self._order, keep=lambda: disk.flush(world) if disk is not None else None)
        user = world.users.collection.find("name", self.user)
        if user is None:
            body = {
                "name": self.user,
                "email": f"{self.user}@sis.example.com",
                "super_user": True,
                "roles": {},
            }
            user = writes.create(world.users, body, ROOT)
        elif "pw" in user or not user.get("super_user"):  # only the password of this start lets in
            user = {**{key: value for key, value in user.items() if key != "pw"}, "super_user": True}
            world.users.collection.replace(user)
        if self._samples and not world.entities:
            load(world, 2000 if self._samples is True else self._samples)
        self.token = world.tokens.issue(user, int(self._lifetime * 1000))["name"]
        if disk is not None:
            disk.flush(world)

    async def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._app.injector.begin()
        self._stopping = asyncio.Event()
        config = uvicorn.Config(
            self._app,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=protocol.IDLE,
            ws="none",
            proxy_headers=False,
            h11_max_incomplete_event_size=64 * 1024,
        )
        config.load()
        state = ServerState()
        server = await self._loop.create_server(
            lambda: protocol.Protocol(config, state, {}), sock=listener, backlog=256
        )
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        ready.set()
        await self._stopping.wait()
        # Connections that were accepted a moment ago must become transports, to be closed as such: a server
        # that is closed before would drop their sockets.
        self._loop.remove_reader(listener)
        for _ in range(3):
            await asyncio.sleep(0)
        server.close()
        await self._app.dispatcher.stop()
        for task in list(state.tasks):
            task.cancel()
        for connection in list(state.connections):
            connection.transport.abort()
        if self._app.disk is not None:
            self._app.disk.close()


def _refuse(samples: object, only: object, history: object, copy_from: object) -> None:
    """Raise a ValueError where a sandbox is asked for that cannot be."""
    for name, number in (("samples", samples), ("history", history)):
        if not isinstance(number, int) or number < 0:
            raise ValueError(f"{name} is a number, 0 or more, got {number!r}")
    if isinstance(only, str):
        raise ValueError(f"only is a list of tables or a query for each, got {only!r}")
    if not (copy_from is None or isinstance(copy_from, Client)):
        raise ValueError(f"copy_from is a sispy.Client, got {copy_from!r}")
