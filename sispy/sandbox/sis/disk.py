"""Persistence: every write is in a SQLite file before it is answered."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from sispy.sandbox.js.json import decode, encode
from sispy.sandbox.sis.commits import Commit
from sispy.sandbox.sis.world import Copy

if TYPE_CHECKING:
    from sispy.sandbox.mongo.store import Collection
    from sispy.sandbox.sis.world import World

_FORMAT = 2
_TABLES = """
CREATE TABLE IF NOT EXISTS documents (
    collection TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (collection, id)
);
CREATE TABLE IF NOT EXISTS commits (
    oid TEXT, type TEXT, entity_id TEXT, entity_oid TEXT, action TEXT, by TEXT, at INTEGER, data BLOB,
    written_at INTEGER, bulk INTEGER
);
"""


class Disk:
    """A SQLite file with all documents and commits of a world.

    The write-ahead log is written before each answer; a process that is killed loses nothing that it has
    acknowledged. What a power cut leaves is whole, but its last moments may be missing.
    """

    def __init__(self, path: str | Path) -> None:
        """Open or make a file.

        Raises:
            ValueError: The file is no sandbox's.
            OSError: It cannot be opened or made.
        """
        self.path: Path = Path(path)
        # It holds tokens: SQLite itself would make it, and the log beside it, for everybody to read.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        # The server's thread is not the one that opens the file.
        self._file = sqlite3.connect(self.path, isolation_level=None, timeout=0.5, check_same_thread=False)
        try:
            self._file.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._check()
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.executescript(f"{_TABLES} PRAGMA user_version={_FORMAT};")
        except sqlite3.OperationalError as error:
            self._file.close()
            raise ValueError(f"{self.path} cannot be used, perhaps another sandbox does: {error}") from error
        except sqlite3.DatabaseError as error:
            self._file.close()
            raise ValueError(f"{self.path} is no file of a sandbox: {error}") from error
        except ValueError:
            self._file.close()
            raise

    def _check(self) -> None:
        """Refuse a database of somebody else before anything in it is changed."""
        tables = {
            name for (name,) in self._file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        version = self._file.execute("PRAGMA user_version").fetchone()[0]
        if tables and tables != {"documents", "commits"}:
            raise ValueError(
                f"{self.path} is no file of a sandbox: it has the tables {', '.join(sorted(tables))}"
            )
        if version not in {0, _FORMAT}:
            raise ValueError(f"{self.path} has format {version}, this sandbox reads format {_FORMAT}")

    def load(self, world: World) -> None:
        """Fill a new world with what the file holds, and note its changes from now on."""
        for name, resource in {**world.named(), "tokens": world.tokens}.items():
            self._fill(resource.collection)
            if name == "schemas":
                for schema in resource.collection:
                    world.schemas.begin(schema)
        for entities in world.entities.values():
            self._fill(entities.collection)
        for (body,) in self._file.execute("SELECT body FROM documents WHERE collection = 'info'"):
            world.copy = Copy(**decode(body))
        for row in self._file.execute("SELECT * FROM commits ORDER BY rowid"):
            world.commits.add(Commit(*row))
        world.context.keeps = True

    def _fill(self, collection: Collection) -> None:
        query = "SELECT body FROM documents WHERE collection = ? ORDER BY rowid"
        for (body,) in self._file.execute(query, (collection.name,)):
            collection.restore(decode(body))

    def flush(self, world: World) -> None:
        """Write what has changed, in one transaction.

        Raises:
            sqlite3.Error: It cannot be written; the next flush tries again.
        """
        context, commits = world.context, world.commits
        if not (context.dirty or context.dropped or commits.fresh):
            return
        changed: list[tuple[str, str, bytes]] = []
        deleted: list[tuple[str, str]] = []
        for (collection, name), document in context.dirty.items():
            if document is None:
                deleted.append((collection, name))
            else:
                changed.append((collection, name, encode(document)))
        self._file.execute("BEGIN")
        try:
            self._write(context.dropped, deleted, changed, commits.fresh)
            self._file.execute("COMMIT")
        except sqlite3.Error:
            if self._file.in_transaction:  # a full disk has ended it
                self._file.execute("ROLLBACK")
            raise
        context.dirty, context.dropped, commits.fresh = {}, [], []

    def _write(
        self,
        dropped: list[str],
        deleted: list[tuple[str, str]],
        changed: list[tuple[str, str, bytes]],
        fresh: list[Commit],
    ) -> None:
        many = self._file.executemany
        many("DELETE FROM documents WHERE collection = ?", [(name,) for name in dropped])
        many("DELETE FROM documents WHERE collection = ? AND id = ?", deleted)
        many(
            "INSERT INTO documents VALUES (?, ?, ?)"
            " ON CONFLICT (collection, id) DO UPDATE SET body = excluded.body",
            changed,
        )
        many("INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", fresh)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
