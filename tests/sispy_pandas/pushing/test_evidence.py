"""Commits as evidence: whatever races with a push, a value of somebody else is not lost without a word."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sispy.delta import diff
from sispy_pandas.pushing.evidence import DELIVERED_AGAIN, UNTOLD, Unclear, already, examine, since_of
from sispy_pandas.values.changes import Attempt, Outcome, then
from sispy_pandas.values.entity import stored
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.values.types.equality import equal
from sispy_pandas.values.types.ip_address import ip_object

LONG = "a text of sixty characters and more, of which the history keeps the changes alone; "
DEFINITION = {
    "string": "String",
    "text": "String",
    "number": "Number",
    "boolean": "Boolean",
    "date": "Date",
    "reference": {"type": "ObjectId", "ref": "rack"},
    "address": "IpAddress",
    "nested": {"inner": {"leaf": "String"}},
    "strings": ["String"],
    "addresses": ["IpAddress"],
    "anything": [],
    "members": [{"dev": "String", "ip": "IpAddress", "tags": ["String"]}],
    "mixed": "Mixed",
    "other": "Number",
}
SCHEMA = parse_schema({"name": "host", "definition": DEFINITION})
VALUES: dict[str, list[Any]] = {
    "string": [None, "a", "b", "c", ""],
    "text": [LONG + "1", LONG + "2", "so " + LONG + "3", LONG[:70], "short", None],
    "number": [None, 1, 2, 3.5, 0],
    "boolean": [None, True, False],
    "date": [None, "2020-01-02T03:04:05.000Z", "2021-01-02T03:04:05.000Z"],
    "reference": [None, "6b0b30af5ed33e462bad5e03", "6b0b30af5ed33e462bad5e04"],
    "address": [None, *map(ip_object, ("10.0.0.1/24", "10.0.0.1/16", "10.0.0.2/24", "::1"))],
    "nested.inner.leaf": [None, "a", "b", "c"],
    "strings": [[], ["a"], ["a", "b"], ["b", "a"], ["a", "b", "a"], ["c"]],
    "addresses": [[], [ip_object("10.0.0.1/24")], [ip_object("10.0.0.1/24"), ip_object("10.0.0.2/24")]],
    "anything": [[], [1, "a"], [{"a": 1}], [[1], [2]], [1, "a", None]],
    "members": [
        [],
        [{"_id": "6b0b30af5ed33e462bad5e05", "dev": "sda", "tags": []}],
        [
            {"_id": "6b0b30af5ed33e462bad5e05", "dev": "sda", "tags": ["x"], "ip": ip_object("10.0.0.1/24")},
            {"_id": "6b0b30af5ed33e462bad5e06", "dev": "sdb", "tags": []},
        ],
        [{"_id": "6b0b30af5ed33e462bad5e06", "dev": "sdb", "tags": []}],
    ],
    "mixed": [None, {"a": 1}, {"a": {"b": [1, 2]}}, {"a": {"b": [2, 3]}, "c": LONG}, [1], "text", 0],
}


@dataclass
class History:
    """A row on a server that reads, then writes; what it holds, and its commits."""

    path: str
    states: list[dict[str, Any]]
    commits: list[dict[str, Any]] = field(default_factory=list)
    last: tuple[str, Any] | None = None
    """Who wrote the cell last, and what."""

    @classmethod
    def of(cls, path: str, value: Any) -> History:
        return cls(path, [changed({"other": 0, "_sis": {"_updated_at": 1_000_000}}, path, value)])

    @property
    def now(self) -> dict[str, Any]:
        return self.states[-1]

    def write(self, by: str, path: str, value: Any, *, upon: int = -1, at: int | None = None) -> int:
        """Write a value; `upon` is the state that was read, the last or one before it."""
        at = at or 1_000_000 + 10 * len(self.states)
        read = self.states[max(upon, -len(self.states))]
        meant = stamped(changed(read, path, value), at)
        if same(path, read, meant):
            self.states.append(stamped(self.now, at))  # nothing is written but the time
            return at
        data = diff(read, meant)
        commit = {"_id": f"{len(self.states):024x}", "action": "update", "modified_by": by}
        self.commits.append({**commit, "date_modified": at, "commit_data": data})
        self.states.append(stamped(changed(self.now, path, value), at))
        if path == self.path:
            self.last = (by, value)
        return at

    def examined(self, outcome: Outcome, user: str | None = "me") -> list[tuple[Any, Any, Any, str | None]]:
        newest_first = sorted(self.commits, key=lambda commit: -int(commit["date_modified"]))
        found = examine(SCHEMA, outcome, newest_first, user=user, current=lambda: self.now)
        return [(cell.base, cell.mine, cell.theirs, cell.by) for cell in found]


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(document)
    *parents, last = path.split(".")
    inner = document
    for name in parents:
        inner = inner.setdefault(name, {})
    inner[last] = value
    return document


def stamped(document: dict[str, Any], at: int) -> dict[str, Any]:
    return {**document, "_sis": {"_updated_at": at}}


def same(path: str, one: dict[str, Any], other: dict[str, Any]) -> bool:
    column = SCHEMA.field(path)
    return equal(column, stored(column, one), stored(column, other))


def planned(path: str, value: Any) -> Any:
    return stored(SCHEMA.field(path), changed({}, path, value))


def outcome(path: str, base: Any, mine: Any, *, at: int, read: int = 1_000_000) -> Outcome:
    cells = {path: (planned(path, base), planned(path, mine))}
    return Outcome("1", "update", "done", "1", status=200, written=cells, receipt=at, read=read)


def three(path: str) -> st.SearchStrategy[Any]:
    """Return strategies of base, theirs and mine, each unlike the others."""
    return st.permutations(VALUES[path]).map(lambda values: values[:3])


FEW = settings(max_examples=25)
TYPES = pytest.mark.parametrize("path", VALUES)


@TYPES
@FEW
@given(data=st.data())
def test_a_push_that_nobody_disturbs_replaces_nothing(path, data):
    base, mine, later = data.draw(three(path))
    row = History.of(path, base)
    at = row.write("me", path, mine)
    row.write("bob", "other", 1)
    row.write("bob", path, later)

    assert row.examined(outcome(path, base, mine, at=at)) == []


@TYPES
@pytest.mark.parametrize("upon", [-1, -2], ids=["recorded as A-B, B-C", "recorded as A-B, A-C"])
@pytest.mark.parametrize("user", ["me", None])
@FEW
@given(data=st.data())
def test_a_value_written_since_the_guard_read_is_found_as_both_are_recorded(path, upon, user, data):
    base, theirs, mine = data.draw(three(path))
    row = History.of(path, base)
    row.write("bob", path, theirs)
    at = row.write("me", path, mine, upon=upon)

    found = row.examined(outcome(path, base, mine, at=at), user)

    expected = (planned(path, base), planned(path, mine), planned(path, theirs), "bob")
    assert found == [expected]


@TYPES
@FEW
@given(data=st.data())
def test_the_same_value_by_somebody_else_is_no_loss(path, data):
    base, _, mine = data.draw(three(path))
    row = History.of(path, base)
    row.write("bob", path, mine)
    at = row.write("me", path, mine, upon=data.draw(st.sampled_from([-1, -2])))

    assert row.examined(outcome(path, base, mine, at=at)) == []


@TYPES
@FEW
@given(data=st.data())
def test_whatever_others_do_their_last_value_before_ours_is_reported(path, data):
    values = VALUES[path]
    base = data.draw(st.sampled_from(values))
    mine = data.draw(st.sampled_from([v for v in values if not equal(SCHEMA.field(path), v, base)]))
    row = History.of(path, base)
    guard = row.now["_sis"]["_updated_at"]
    raced = False

    def others(most):
        nonlocal raced
        for _ in range(data.draw(st.integers(0, most))):
            name = data.draw(st.sampled_from([path, path, "other"]))
            value = data.draw(st.sampled_from(values if name == path else [1, 2, 3]))
            upon = data.draw(st.sampled_from([-1, -1, -2]))
            raced = raced or upon == -2
            row.write(data.draw(st.sampled_from(["bob", "eve"])), name, value, upon=upon)

    others(3)
    before = row.last
    upon = data.draw(st.sampled_from([-1, -2, -3]))
    at = row.write("me", path, mine, upon=upon)
    wrote = bool(row.commits) and row.commits[-1]["date_modified"] == at
    others(2)
    lost = before is not None and wrote and not equal(SCHEMA.field(path), before[1], mine)

    try:
        found = row.examined(outcome(path, base, mine, at=at, read=guard))
    except Unclear:
        assert raced or upon != -1  # or it wrote nothing: see the next test
        return
    if lost:
        assert before is not None
        assert [cell[2] for cell in found] == [planned(path, before[1])]
    elif not raced and upon == -1:
        assert found == []


@TYPES
@pytest.mark.parametrize(
    "at", [1_000_000, 999_990, 1_000_030], ids=["the same millisecond", "a slow clock", "a fast clock"]
)
@FEW
@given(data=st.data())
def test_the_time_of_a_commit_alone_does_not_hide_it(path, at, data):
    base, theirs, mine = data.draw(three(path))
    row = History.of(path, base)
    row.write("bob", path, theirs, at=at)
    ours = row.write("me", path, mine, upon=data.draw(st.sampled_from([-1, -2])))

    found = row.examined(outcome(path, base, mine, at=ours))

    assert [(cell[2], cell[3]) for cell in found] == [(planned(path, theirs), "bob")]


@TYPES
@FEW
@given(data=st.data())
def test_commits_up_to_what_the_guard_read_prove_nothing(path, data):
    first, base, mine = data.draw(three(path))
    row = History.of(path, first)
    read = row.write("bob", path, base)
    ours = row.write("me", path, mine)

    assert row.examined(outcome(path, base, mine, at=ours, read=read)) == []


@TYPES
@pytest.mark.parametrize("upon", [-1, -2], ids=["recorded as A-B, B-C", "recorded as A-B, A-C"])
@FEW
@given(data=st.data())
def test_commits_that_do_not_say_upon_which_state_are_read_by_their_values(path, upon, data):
    base, theirs, mine = data.draw(three(path))
    row = History.of(path, base)
    row.write("bob", path, theirs)
    ours = row.write("me", path, mine, upon=upon)
    for commit in row.commits:
        del commit["commit_data"]["_sis"]

    found = row.examined(outcome(path, base, mine, at=ours))

    assert [(cell[2], cell[3]) for cell in found] == [(planned(path, theirs), "bob")]


def test_a_change_of_a_text_that_fits_another_state_alone_is_read_by_that():
    base, far, theirs, mine = LONG + "1", "0123456789" * 9, LONG + "2", f"so {LONG}3"
    row = History.of("text", base)
    row.write("bob", "text", far)
    row.write("eve", "text", theirs, upon=-2)  # fits what the guard read, and not `far`
    ours = row.write("me", "text", mine, upon=-3)
    for commit in row.commits:
        del commit["commit_data"]["_sis"]

    assert row.examined(outcome("text", base, mine, at=ours)) == [(base, mine, theirs, "eve")]


def test_without_a_name_and_an_answer_ours_is_known_by_its_value():
    row = History.of("number", 1)
    row.write("bob", "number", 2)
    at = row.write("me", "number", 3)
    answered = outcome("number", 1, 3, at=at)

    for user, status, receipt in (
        (None, 200, at),
        (None, None, None),
        ("me", None, None),
        ("me", 200, at + 10),
    ):
        sent = replace(answered, status=status, receipt=receipt)
        assert row.examined(sent, user) == [(1, 3, 2, "bob")]


def test_what_was_written_while_a_row_was_deleted_is_lost_and_what_was_taken_back_is_not():
    row = History.of("number", 1)
    row.write("bob", "number", 2)
    row.write("bob", "number", 1)
    # by a process whose clock is slow
    whole = {"action": "delete", "modified_by": "me", "date_modified": 999_900}

    def deleted(state):
        row.commits.append({**whole, "_id": "f" * 24, "commit_data": state})
        sent = Outcome("1", "delete", "done", "1", status=200, written={"number": (1, None)}, read=1_000_000)
        found = row.examined(replace(sent, written={"number": (1, None), "other": (0, None)}))
        row.commits.pop()
        return found

    empty = {"_sis": {}}
    assert deleted({**row.now, **empty}) == []
    row.write("eve", "number", 4)
    lost = [(1, None, 4, "eve")]
    assert deleted({**row.now, **empty}) == lost
    assert deleted({**row.states[-2], **empty}) == lost


def test_a_value_that_comes_back_later_is_reported_as_of_the_one_who_lost_it():
    row = History.of("number", 1)
    row.write("bob", "number", 5, at=1_000_010)
    ours = row.write("me", "number", 3, at=1_000_030)
    row.write("eve", "number", 5, at=1_000_020)  # upon ours, by a process whose clock is slow

    assert row.examined(outcome("number", 1, 3, at=ours)) == [(1, 3, 5, "bob")]


def test_what_stands_is_not_lost_where_somebody_else_wrote_our_value():
    row = History.of("number", 1)
    eve = row.write("eve", "number", 3)
    row.write("bob", "number", 5, at=eve + 10)
    row.write("carl", "number", 6, upon=-3, at=eve + 5)  # raced with both, and came last

    assert row.examined(outcome("number", 1, 3, at=eve + 1)) == []


def test_a_commit_of_ours_that_is_missing_is_said():
    row = History.of("number", 1)
    at = row.write("me", "number", 2)
    row.commits.clear()

    with pytest.raises(Unclear):
        row.examined(outcome("number", 1, 2, at=at))


def test_a_commit_under_another_name_is_not_ours():
    row = History.of("number", 1)
    at = row.write("eve", "number", 3)

    with pytest.raises(Unclear):
        row.examined(outcome("number", 1, 2, at=at))


def test_what_a_deleted_row_held_at_last_tells_which_of_two_racing_writes_came_last():
    row = History.of("number", 1)
    row.write("me", "number", 3)
    read = row.write("bob", "number", 5, upon=-2)
    gone = {"_id": "f" * 24, "action": "delete", "modified_by": "bob", "date_modified": read + 100}
    row.commits.append({**gone, "commit_data": row.now})
    row.states.append({})

    sent = then((), Attempt({"number": (1, 3)}, 1_000_000))
    for attempts in (sent, then(sent, Attempt({"number": (5, 3)}, read))):  # the second one never arrived
        assert row.examined(Outcome("1", "update", "conflict", "1", written={}, doubted=attempts)) == []


@pytest.mark.parametrize(("later", "lost"), [(59_999, [(1, 3, 5, "bob")]), (60_000, [])])
def test_a_network_delivers_a_request_once_more_soon_or_not_at_all(later, lost):
    row = History.of("number", 1)
    ours = row.write("me", "number", 3)
    row.write("bob", "number", 5)
    row.write("me", "number", 3, at=ours + later)

    assert row.examined(outcome("number", 1, 3, at=ours)) == lost


@TYPES
@FEW
@given(data=st.data())
def test_a_cell_was_so_already_where_somebody_else_had_last_written_it(path, data):
    base, other, mine = data.draw(three(path))
    writes = data.draw(
        st.lists(
            st.tuples(st.sampled_from(["me", "bob", "eve"]), st.sampled_from([base, other, mine])), max_size=4
        )
    )
    row = History.of(path, base)
    for by, value in writes:
        row.write(by, path, value)
    last = row.commits[-1] if row.commits else None
    so_by_others = (
        last is not None and last["modified_by"] != "me" and same(path, row.now, changed({}, path, mine))
    )
    at = row.write("me", path, mine)
    row.write("bob", path, other)

    newest_first = row.commits[::-1]
    found = already(SCHEMA, outcome(path, base, mine, at=at), newest_first, user="me")

    assert found == ((path,) if so_by_others else ())


@pytest.mark.parametrize(("later", "so"), [(DELIVERED_AGAIN, ()), (DELIVERED_AGAIN + 1, ("number",))])
def test_what_one_had_written_oneself_was_so_already_unless_it_was_this_very_request(later, so):
    row = History.of("number", 1)
    before = row.write("me", "number", 3)
    ours = row.write("me", "number", 3, at=before + later)
    sent = outcome("number", 1, 3, at=ours)

    assert (row.examined(sent), already(SCHEMA, sent, row.commits, user="me")) == ([], so)


def test_what_no_commit_tells_of_one_cell_hides_nothing_of_another():
    row = History.of("number", 1)
    row.write("bob", "number", 3)
    row.commits[0]["commit_data"]["text"] = ["@@ no patch", 0, 2]
    cells = {"text": (LONG, "mine"), "number": (1, 3)}

    sent = replace(outcome("number", 1, 3, at=row.write("me", "number", 3)), written=cells)

    assert already(SCHEMA, sent, row.commits, user="me") == ("number",)


def test_from_when_on_commits_tell_is_when_the_row_was_read_first():
    first = Attempt({"number": (1, 2)}, read=999, until=None)
    read = outcome("number", 1, 3, at=1_000_010)

    assert since_of(read) == 1_000_000
    assert since_of(replace(read, doubted=(first,))) == 999
    assert since_of(replace(read, read=None)) is None


def test_a_change_of_a_text_that_fits_no_known_state_leaves_it_unclear():
    row = History.of("text", LONG + "1")
    row.write("bob", "text", LONG + "2")
    far = "0123456789" * 9
    row.commits[0]["commit_data"] = {"text": diff(far, far + "x")}
    at = row.write("me", "text", f"so {LONG}3")

    with pytest.raises(Unclear, match=f"^{UNTOLD}$"):
        row.examined(outcome("text", LONG + "1", f"so {LONG}3", at=at))


def test_a_value_that_was_taken_away_is_known_from_that_commit_alone():
    row = History.of("number", 1)
    row.write("bob", "number", 2)
    row.commits[0]["commit_data"] = {"number": [7, 0, 0]}
    at = row.write("me", "number", 3)
    row.commits[1]["commit_data"] = {"number": [None, 3]}

    assert row.examined(outcome("number", 1, 3, at=at)) == [(1, 3, None, "bob")]


@pytest.mark.parametrize("user", ["me", None])
def test_a_cell_that_was_found_as_it_was_sent_is_unclear_as_long_as_no_commit_tells_who_wrote_it(user):
    row = History.of("number", 1)
    sent = Attempt({"number": (1, 3)}, read=1_000_000)
    lost = replace(outcome("number", 1, 3, at=1_000_010), doubted=(sent,), status=None, written={})

    assert row.examined(lost, user) == []
    found = replace(lost, doubted=(replace(sent, found=("number",)),), written={"number": (1, 3)})
    with pytest.raises(Unclear, match=f"^{UNTOLD}$"):
        row.examined(found, user)
