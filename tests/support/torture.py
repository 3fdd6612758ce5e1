"""One round of the torture: a push through a faulty proxy, colleagues at work, kills; all from one seed."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

import pandas as pd

import sispy
import sispy_pandas as sp
from editors import FIELDS, Editors, value_of
from faulty_proxy import Asked, Proxy
from ledger import Ledger
from network_faults import ANY, FAULTS, READS, WRITES
from oracle import AMBIGUOUS, Account, Case, Violation
from sispy.sandbox import Faults, Sandbox, Seen
from sispy_pandas.revisions.undo import verify
from sispy_pandas.values.changes import row_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

US = "pusher"
SETTLE = 0.05
ATTEMPTS = 14
"""Parts that a push may have; the network is well from CALM on."""
CALM = 9
ROWS = 16


@dataclass(frozen=True)
class Settings:
    """What a seed means."""

    seed: int

    @property
    def guard(self) -> str:
        return ("check", "cas")[self.seed % 2]

    @property
    def unique(self) -> bool:
        return self.seed // 2 % 2 == 0

    @property
    def kills(self) -> int:
        return self.seed // 4 % 3

    def rng(self, *what: object) -> random.Random:
        """Return what a part of the round draws from, which no other part disturbs."""
        return random.Random(repr((self.seed, *what)))  # noqa: S311 - no secret

    def __str__(self) -> str:
        unique = "a" if self.unique else "no"
        return f"seed {self.seed}: guard {self.guard}, {unique} unique field, {self.kills} kills"


@dataclass
class Result:
    """What came of a round."""

    settings: Settings
    violations: list[Violation]
    words: Counter[str]
    met: Counter[str]
    parts: list[str]

    def __str__(self) -> str:
        lines = [str(self.settings), f"  {dict(self.words)}", f"  faults {dict(self.met)}"]
        lines += [f"  part: {part}" for part in self.parts]
        return "\n".join([*lines, *(f"  VIOLATION {violation}" for violation in self.violations)])


class Schedule:
    """Which request meets which fault: a few kinds per round, as often as the seed says.

    What a request meets depends on what is asked and how often that was, not on what others ask meanwhile.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        rng = settings.rng("faults")
        self.writes = rng.sample([*ANY, *WRITES], 3) + rng.sample([*WRITES], 1)
        self.reads = rng.sample([*ANY, *READS], 2)
        self.rates = {True: rng.uniform(0.2, 0.9), False: rng.choice([0.0, 0.05, 0.2])}
        self.left = 20
        self.on = False
        self.met: Counter[str] = Counter()
        self.writes_asked = 0
        self._settings, self._ledger = settings, ledger
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> tuple[str, random.Random]:
        with self._lock:
            self.writes_asked += asked.writes
            key = f"{asked.method} {self._named(asked.target)}"
            self._asked[key] += 1
            rng = self._settings.rng("request", key, self._asked[key])
            hit = self.on and self.left > 0 and rng.random() < self.rates[asked.writes]
            if not hit:
                return "", rng
            self.left -= 1
            fault = rng.choice(self.writes if asked.writes else self.reads)
            self.met[fault] += 1
            return fault, rng

    def _named(self, target: str) -> str:
        """Return what is asked for, with numbers for rows, and without times."""
        numbers = {id_: n for n, id_ in enumerate(dict.fromkeys(w.id for w in self._ledger.writes))}
        text = re.sub(r"[0-9a-f]{24}", lambda found: f"#{numbers.get(found[0])}", unquote(target))
        return re.sub(r"[0-9]{13}", "T", text)


def definition(*, unique: bool) -> dict[str, Any]:
    """Give the schema of the table."""
    name = {"type": "String", "unique": True, "required": True} if unique else "String"
    return {"name": "box", "_sis": {"owner": ["ops"]}, "definition": {"name": name, **FIELDS}}


def box(number: int) -> dict[str, Any]:
    """Give a row as it is at first."""
    return {
        "name": f"b{number:03}",
        "s": f"base{number}",
        "n": number,
        "since": f"2024-01-02T03:04:{number:02}.000Z",
        "ip": f"10.0.0.{number + 1}/24",
        "tags": ["a", f"base{number}"],
        "disks": [{"dev": "sda", "gb": number}],
        "extra": {"a": 1, "b": {"c": number}, "d": [1]},
        "bios": {"vendor": "acme", "version": f"base{number}"},
    }


def planned(settings: Settings, boxes: Any) -> sp.Plan:
    """Make a plan with changes of all kinds."""
    rng = settings.rng("plan")
    live = sp.fetch(boxes, progress=False)
    frame = live.frame().drop(columns="_updated_at").astype(object)
    ids = list(frame.index)
    rng.shuffle(ids)
    for number, id_ in enumerate(ids[:9]):
        for path in rng.sample([c for c in frame.columns if c != "name"], rng.randint(1, 3)):
            frame.at[id_, path] = _cell(rng, path, frame.at[id_, path], f"mine{number}")
    new = []
    for number in range(rng.randint(3, 6)):
        row = {"name": f"n{number}", "s": f"new{number}", "n": number, "extra": {"k": number}}
        new.append({path: row[path] for path in row if path != "extra" or rng.random() < 0.7})
    if not settings.unique:
        new += [dict(new[0]), dict(new[0]), dict(new[1])]
    rows = frame.loc[ids[:9]].reset_index()
    both = pd.concat([rows, pd.DataFrame(new)], ignore_index=True).astype(object)
    return live.diff(both, delete=ids[9:12])


def _cell(rng: random.Random, path: str, old: Any, mark: str) -> Any:
    if path != "extra":
        return value_of(rng, path, mark)
    found = {**old, rng.choice(["a", "k"]): mark}
    if rng.random() < 0.3:
        found.pop("d")
    if rng.random() < 0.3:
        found["b"] = {
            "c": old["b"]["c"],
            "z": None,
        }  # null within a stored value: it goes by a request of its own
    return found


def options(settings: Settings, journal: Path) -> dict[str, Any]:
    """Give the arguments of the push."""
    rng = settings.rng("limits")
    limits = sp.Limits(rows=rng.randint(2, 7), settle=SETTLE, settle_row=0.0, patience=5.0, attempts=6)
    found: dict[str, Any] = {"guard": settings.guard, "progress": False, "limits": limits}
    return {**found, "journal": journal, "note": str(settings)}


PATIENT = (30.0, 30.0)
"""Of what the network leaves in peace: other programs share the machine."""


def client_of(url: str, token: str, timeout: tuple[float, float] = (2.0, 1.0)) -> sispy.Client:
    """Make the client that pushes."""
    client = sispy.Client(url, auth_token=token, timeout=timeout, retries=2)
    client.username = US
    return client


def part(
    settings: Settings,
    url: str,
    token: str,
    folder: Path,
    skip_problems: bool,
    plan: sp.Plan | None = None,
) -> tuple[str, dict[Any, tuple[str, str]]]:
    """Push, or go on with the push; return why it ended early ("" if not), and the outcomes."""
    journal = folder / "journal.jsonl"
    client = client_of(url, token)
    chosen = {**options(settings, journal), "skip_problems": skip_problems}
    if _has_begun(journal):
        plan = cast("sp.Plan", sp.resume(journal, client=client))
        del chosen["journal"]
    elif plan is None:
        plan = cast("sp.Plan", sp.load_plan(folder / "plan", client))
    plan.endpoint.client.username = US  # as the refusal of a push says that has met a strange answer
    report = plan.push(**chosen)
    if sum(report.counts.values()) != len(report):
        raise AssertionError(f"the counts do not add up: {report}")
    return report.stopped or "", {o.row: (o.word, o.reason) for o in report.outcomes}


def _has_begun(journal: Path) -> bool:
    return journal.exists() and b'"event":"begin"' in journal.read_bytes()


def child(pipe: Connection, home: str, *arguments: Any) -> None:
    """Do a part of a push in a process of its own, which is there to be killed."""
    os.environ["SISPY_JOURNALS"] = home
    pipe.send(("ready", None))
    pipe.send(attempted(*arguments))


def attempted(*arguments: Any) -> tuple[str, Any]:
    """Do a part of a push; return how it ended: a word and what belongs to it."""
    try:
        return "ended", part(*arguments)
    except sispy.Error as error:
        return "error", f"{type(error).__name__}: {error}"
    except sp.PlanRefused as error:
        return "refused", str(error)
    except ValueError as error:
        return "not begun", str(error)
    except Exception:  # noqa: BLE001 - whatever it is, it is what the round tells
        return "crash", traceback.format_exc()


FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["torture"])


@dataclass
class Round:
    """A round on its way."""

    settings: Settings
    folder: Path
    parts: list[str] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    blow: Callable[[Asked], None] = lambda asked: None
    """Kills the push when its moment has come."""

    def run(self) -> Result:
        """Carry it out."""
        ledger = Ledger("box")
        schedule = Schedule(self.settings, ledger)
        with Sandbox() as sandbox:
            root = sandbox.client()
            names = (US, "ann", "ben", "lurker")
            for name in names:
                user = {"name": name, "email": f"{name}@example.com", "pw": name, "roles": {"ops": "admin"}}
                root.users.create(user)
            root.schemas.create(definition(unique=self.settings.unique))
            ledger.keep(sandbox)
            boxes = root.entities("box")
            boxes.create([box(number) for number in range(ROWS)])
            token = str(sandbox.client(US).auth_token)
            editors = Editors(self.settings, sandbox, ledger, names[1:])
            address = urlsplit(sandbox.url)
            proxy = Proxy((str(address.hostname), int(address.port or 0)), FAULTS, schedule)
            try:
                client = client_of(proxy.url, token, timeout=PATIENT)
                plan = planned(self.settings, client.entities("box"))
                plan.save(self.folder / "plan")
                since = len(ledger.writes)
                proxy.before = editors.pounce

                def window(seen: Seen) -> None:
                    if (asked := proxy.delivering) is not None and seen.item is not None:
                        editors.pounce(asked, seen.item)

                def meets(asked: Asked) -> None:
                    if not asked.target.partition("?")[0].endswith(
                        "/commits"
                    ):  # which are asked two at a time
                        editors.work()
                        self.blow(asked)

                sandbox.faults, proxy.meets = Faults(between=window), meets
                schedule.on = True
                last = self._to_the_end(proxy, schedule, editors, token, plan)
                schedule.on = False
                proxy.rest()  # it may just be taking no connections, and tries are few
                if _has_begun(self.folder / "journal.jsonl"):
                    verify(self.folder / "journal.jsonl", client, progress=False)
                ended = time.monotonic()
                proxy.settle()
            finally:
                proxy.stop()
            account = Account().read(self.folder / "journal.jsonl").add(last)
            case = Case(plan.changes, ledger, since, US, account, tuple(proxy.passages), ended)
            self.violations += case.violations()
            words = Counter(account.rows[row_of(c)].word for c in plan.changes if row_of(c) in account.rows)
        return Result(self.settings, self.violations, words, schedule.met, self.parts)

    def _to_the_end(
        self, proxy: Proxy, schedule: Schedule, editors: Editors, token: str, plan: sp.Plan
    ) -> dict[Any, tuple[str, str]]:
        """Push, and resume until nothing is left; return the outcomes of the last part."""
        outcomes: dict[Any, tuple[str, str]] = {}
        word = ""
        for number in range(ATTEMPTS):
            if number == CALM:
                schedule.on = False
                editors.rest()
            before = schedule.writes_asked
            arguments = (self.settings, proxy.url, token, self.folder, word == "refused")
            if number < self.settings.kills:
                word, found = self._killed(proxy, number, arguments)
            else:
                word, found = attempted(*arguments, plan)
            wrote = schedule.writes_asked > before
            stopped = found[0] if word == "ended" else found
            self.parts.append(f"{word} {stopped}"[:300])
            if word == "crash":
                self.violations.append(Violation(f"crash, {found.strip().splitlines()[-1][:80]}", found))
            elif word in ("error", "refused", "not begun") and wrote:
                self.violations.append(Violation(f"an exception after a write, {word}", found))
            elif word == "ended":
                outcomes |= found[1]
                left = [reason for word, reason in found[1].values() if word == "unsent"]
                if not stopped and not left:
                    schedule.on = False
                    editors.rest()
                    return outcomes | self._once_more(arguments, found[1])
        self.violations.append(Violation("it never ends", "; ".join(self.parts[-3:])))
        return outcomes

    def _once_more(
        self, arguments: tuple[Any, ...], outcomes: dict[Any, tuple[str, str]]
    ) -> dict[Any, tuple[str, str]]:
        """Resume and push again new rows of which it is not known whether they were created."""
        doubtful = {row for row, (_, reason) in outcomes.items() if AMBIGUOUS.search(reason)}
        if not doubtful:
            return {}
        _, url, token, folder, _ = arguments
        client = client_of(url, token)
        plan = sp.load_plan(folder / "plan", client).only(ids=doubtful)
        options_ = {**options(self.settings, folder / "again.jsonl"), "verify": False}
        again = plan.push(**options_)
        self.parts.append(f"pushed again {again.counts}")
        word, found = attempted(*arguments)
        self.parts.append(f"resumed {word} {Counter(w for w, _ in found[1].values())}")
        return dict(found[1])

    def _killed(self, proxy: Proxy, number: int, arguments: tuple[Any, ...]) -> tuple[str, Any]:
        """Do a part in a process that is killed at some request, before or after the server got it."""
        left = self.settings.rng("kill", number).randint(2, 25)
        mine, its = FORKS.Pipe()
        home = os.environ["SISPY_JOURNALS"]
        process = FORKS.Process(target=child, args=(its, home, *arguments), daemon=True)

        def meets(asked: Asked) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                process.kill()

        process.start()
        its.close()
        try:
            mine.recv()
            self.blow = meets
            return mine.recv()  # type: ignore[no-any-return]
        except EOFError:
            return "killed", f"at request {left}"
        finally:
            self.blow = lambda asked: None
            process.join()
            mine.close()
            proxy.rest()  # the waits of the next part are too short for what is still under way
