"""What a journal says: what is none is a ValueError that names the file, whatever is damaged in it."""

import json
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sispy_pandas as sp
from sispy_pandas.pushing.earlier import standing
from sispy_pandas.pushing.record import Entry, Mark, read
from sispy_pandas.values.changes import Attempt

HEAD = {
    "sispy_plan": 1,
    "server": "u",
    "schema": "host",
    "counts": {"creates": 1, "updates": 0, "deletes": 0},
}
BEGIN = {"event": "begin", "at": 1, "user": "anna", "note": None}
SEND = {
    "event": "send",
    "at": 2,
    "action": "create",
    "rows": [[0, {"name": [None, "a"]}, None]],
    "since": 1,
    "known": ["x"],
    "request": [0, None],
}
ROW = {
    "event": "row",
    "at": 3,
    "row": 0,
    "id": "1" * 24,
    "action": "create",
    "outcome": "done",
    "written": {"name": [None, "a"]},
    "receipt": 3,
}
END = {"event": "end", "at": 4, "stopped": None}
LINES = [HEAD, BEGIN, SEND, ROW, END]

ANYTHING = st.sampled_from(
    [
        None,
        {"undoes": [1]},
        {"completes": [1]},
        True,
        -1,
        1.5,
        "x",
        [],
        [None],
        {},
        {"x": 1},
        [[]],
        {"at": "x"},
    ]
)


def written(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize("depth", [300, 9999])
@pytest.mark.parametrize("where", [SEND, ROW])
@pytest.mark.usefixtures("deep")
def test_a_line_that_is_nested_deeper_than_any_value_is_none(tmp_path, depth, where):
    lines = [json.dumps(line) for line in LINES]
    lines[LINES.index(where)] = json.dumps(where).replace('"a"', "[" * depth + "]" * depth)
    (tmp_path / "j").write_text("\n".join([*lines, ""]))

    with pytest.raises(ValueError, match="is not a journal of a push") as caught:
        read(tmp_path / "j")

    number = LINES.index(where) + 1
    assert str(caught.value) == f"{tmp_path / 'j'} is not a journal of a push: line {number} cannot be read"


def test_a_journal_of_few_lines(tmp_path):
    record = read(written(tmp_path / "j", LINES))

    assert record.entries == {
        0: Entry(
            "done",
            id="1" * 24,
            action="create",
            written={"name": (None, "a")},
            receipt=3,
            sent_at=3,
            mark=Mark(1, frozenset(["x"]), (0, None)),
            sender="anna",
        )
    }
    assert (record.head["schema"], record.begin["user"], record.open, record.wrote, record.last) == (
        "host",
        "anna",
        False,
        True,
        4,
    )


def test_what_was_sent_as_planned_and_written_as_sent_is_not_written_down_again(tmp_path):
    cells = [
        {"update": "a" * 24, "key": "h1", "receipt": 7, "field": name, "before": name, "after": None}
        for name in ("notes", "owner")
    ]
    new = {"create": [1, "x"], "key": None, "field": "name", "after": "n"}
    sent = {"event": "send", "at": 2, "action": "update", "rows": [["a" * 24]]}
    made = {"event": "send", "at": 3, "action": "create", "rows": [[[1, "x"]]]}
    done = {"event": "done", "at": 4, "rows": [["a" * 24, 9], [[1, "x"], 10, "b" * 24]]}
    short = [HEAD, *cells, new, BEGIN, sent, made, done, END]
    told = {"event": "row", "at": 4, "outcome": "done", "status": 200}
    both = {"notes": ["notes", None], "owner": ["owner", None]}
    name = {"name": [None, "n"]}
    ended = [
        told
        | {"row": "a" * 24, "id": "a" * 24, "action": "update", "written": both, "receipt": 9, "read": 7},
        told | {"row": [1, "x"], "id": "b" * 24, "action": "create", "written": name, "receipt": 10},
    ]
    whole = [
        *(HEAD, *cells, new, BEGIN),
        {**sent, "rows": [["a" * 24, both, 7]]},
        {**made, "rows": [[[1, "x"], name, None]]},
        *(*ended, END),
    ]

    found = read(written(tmp_path / "short", short))

    assert found.entries == read(written(tmp_path / "whole", whole)).entries
    assert found.entries["a" * 24].written == {"notes": ("notes", None), "owner": ("owner", None)}
    assert read(written(tmp_path / "cut", short[:-2])).entries["a" * 24] == Entry(
        action="update",
        attempts=(Attempt({"notes": ("notes", None), "owner": ("owner", None)}, 7),),
        sent_at=2,
        sender="anna",
    )
    with pytest.raises(ValueError, match="line 2 cannot be read"):
        read(written(tmp_path / "none", [HEAD, {**new, "create": {}}, BEGIN]))
    with pytest.raises(ValueError, match="line 3 cannot be read"):
        read(written(tmp_path / "none", [HEAD, BEGIN, sent]))


def test_rows_that_may_be_as_a_push_made_them_are_counted(tmp_path):
    failed = {**ROW, "id": None, "outcome": "failed", "written": {}, "receipt": None}
    gone = {**ROW, "action": "delete", "written": {}}

    def count(*rows, undone=()):
        return standing(read(written(tmp_path / "j", [HEAD, BEGIN, SEND, *rows])), undone)

    assert (count(), count(undone=[0]), count(ROW), count(gone)) == (1, 0, 1, 1)
    assert (count(failed), count({**failed, "ambiguous": True})) == (0, 1)


def test_a_row_that_was_made_and_is_not_complete_has_its_id(tmp_path):
    made = {"event": "made", "at": 3, "row": 0, "id": "1" * 24}

    record = read(written(tmp_path / "j", [HEAD, BEGIN, SEND, made]))

    assert record.entries == {
        0: Entry(
            id="1" * 24,
            action="create",
            attempts=(Attempt({"name": (None, "a")}, None),),
            sent_at=2,
            mark=Mark(1, frozenset(["x"]), (0, None)),
            sender="anna",
        )
    }
    assert record.open
    ended = {**ROW, "id": None, "outcome": "conflict", "written": {}, "receipt": None}
    assert read(written(tmp_path / "j", [HEAD, BEGIN, SEND, made, ended])).entries[0].id == "1" * 24


@settings(max_examples=150)
@given(st.integers(0, 4), st.data())
def test_whatever_is_wrong_inside_a_line_the_file_is_named(number, data):
    lines = json.loads(json.dumps(LINES))
    if data.draw(st.booleans()):
        lines[number] = data.draw(ANYTHING)
    else:
        lines[number][data.draw(st.sampled_from(sorted(lines[number])))] = data.draw(ANYTHING)
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "j.jsonl", lines)
        try:
            record = read(path)
        except ValueError as error:
            assert str(error).startswith(f"{path} is not a journal of a push: ")
        else:
            assert isinstance(record.last, int)
            numbers = [(e.receipt, e.read, e.sent_at, e.status) for e in record.entries.values()]
            assert {type(n) for some in numbers for n in some} <= {int, type(None)}


def test_pushes_lists_the_others_and_names_what_is_none(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path))
    written(tmp_path / "a-host-1.jsonl", LINES)
    written(tmp_path / "b-host-2.jsonl", [HEAD, BEGIN, {**SEND, "rows": 5}])
    (tmp_path / "c-host-3.jsonl").mkdir()
    (tmp_path / "d-host-4.jsonl").symlink_to(tmp_path / "nowhere")

    found = sp.pushes()

    assert found["journal"].tolist() == [str(tmp_path / "a-host-1.jsonl")]
    assert found.attrs["unreadable"] == [
        f"{tmp_path}/d-host-4.jsonl cannot be read: No such file or directory",
        f"{tmp_path}/c-host-3.jsonl is not a journal of a push: it is not a regular file",
        f"{tmp_path}/b-host-2.jsonl is not a journal of a push: line 3 cannot be read",
    ]
    assert [entry.getMessage() for entry in caplog.records] == found.attrs["unreadable"]


def test_no_line_that_is_damaged_anywhere_hides_other_journals(tmp_path, monkeypatch):
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path))
    made = {"author": "anna", "source": "a.csv"}
    whole = [{**HEAD, "made": made}, {**BEGIN, "together": ["1", 1, 2], "digest": "d", "reviewer": "b"}]
    whole += [*LINES[2:], {"event": "verified", "at": 5, "rows": [[0, [], ""]]}]
    strange = [None, True, -1, 1.5, 10**19, "x", [], [None], {}, {"x": 1}, ["x", 1], ["x", 2, 1], [1, 1, 1]]
    files = {written(tmp_path / "good-host-1.jsonl", whole)}
    for number, line in enumerate(whole):
        for name in line:
            for n, value in enumerate(strange):
                lines = [*whole[:number], {**line, name: value}, *whole[number + 1 :]]
                files.add(written(tmp_path / f"{number}-{name}-{n}.jsonl", lines))

    found = sp.pushes()

    unreadable = {Path(why.partition(" is not a journal")[0]) for why in found.attrs["unreadable"]}
    readable = files - unreadable
    assert unreadable < files
    assert tmp_path / "good-host-1.jsonl" in readable
    for name in ("0-made-1", "1-at-4", "1-at-2", "1-together-10", "1-together-11", "1-together-12"):
        assert tmp_path / f"{name}.jsonl" in unreadable
    for name in ("2-action", "3-action", "3-outcome"):  # its row would be no part of an undo
        assert {tmp_path / f"{name}-{n}.jsonl" for n in range(len(strange))} <= unreadable


def test_rows_that_were_sent_by_nobody_known_are_those_of_whom_the_server_names_later(tmp_path):
    begin, user = {**BEGIN, "user": None}, {"event": "user", "at": 3, "user": "carol"}
    ended = {**ROW, "id": None, "outcome": "failed", "written": {}, "receipt": None, "ambiguous": True}
    record = read(written(tmp_path / "j", [HEAD, begin, SEND, ended, user, END]))

    (entry,) = record.entries.values()
    assert (entry.word, entry.sender, entry.settled, entry.attempts) == (
        "failed",
        "carol",
        False,
        (Attempt({"name": (None, "a")}),),
    )
    resumed = [{**begin, "event": "resume"}, {**user, "user": "dora"}, END]
    lines = [HEAD, begin, SEND, ended, END, *resumed]
    assert read(written(tmp_path / "k", lines)).entries[0].sender is None


@pytest.mark.parametrize("name", ["user", "note", "reviewer", "digest"])
def test_what_is_told_of_a_push_is_text_or_nothing(tmp_path, name):
    assert read(written(tmp_path / "j", [HEAD, {**BEGIN, name: None}, END])).entries == {}
    with pytest.raises(ValueError, match=re.escape(str(tmp_path / "k"))):
        read(written(tmp_path / "k", [HEAD, {**BEGIN, name: ["anna"]}, END]))


def test_rows_that_a_resumed_push_sends_are_those_of_whoever_resumed_it(tmp_path):
    resumed = {**BEGIN, "event": "resume", "user": "bob"}

    record = read(written(tmp_path / "j", [HEAD, BEGIN, resumed, SEND]))

    assert record.entries[0].sender == "bob"


def test_what_an_earlier_push_left_open_is_open(tmp_path):
    sent = {key: value for key, value in SEND.items() if key not in ("event", "at")}
    begin = {**BEGIN, "open": [{**sent, "sender": "dora"}]}
    record = read(written(tmp_path / "j", [HEAD, begin, END]))

    assert record.entries == {
        0: Entry(
            action="create",
            attempts=(Attempt({"name": (None, "a")}),),
            sent_at=1,
            mark=Mark(1, frozenset(["x"]), (0, None)),
            sender="dora",
        )
    }
