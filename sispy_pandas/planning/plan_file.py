"""Plans as text: a head, one sorted line per cell, and a checksum; for people, for diffs, for `load_plan`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sispy.remedies import what_of
from sispy.text import printable

from ..formats.atomic import replaced
from ..values.changes import Change, Create, Delete, Problem, Stale, Update
from ..values.schema import Schema, parse_schema
from ..values.types.frozen import decode_json
from .change_set import ChangeSet, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from sispy import Client

    from ..values.types.base import Field

FORMAT = 1
_READABLE = json.JSONEncoder(ensure_ascii=False, default=str).encode
_SEVERAL = "sispy_plans"
_HEAD = (("server", str), ("schema", str), ("fields", dict), ("notes", list), ("owner", list | None))


def save(plans: Sequence[ChangeSet], path: str | Path, *, note: str | None = None) -> Path:
    """Write a plan, or several that are one change, to a file readable by its owner alone.

    It says who does so and when; before several a line says how many there are.
    """
    path, now = Path(path), datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    with replaced(path, private=True) as file:
        if len(plans) != 1:
            file.write(_text({_SEVERAL: FORMAT, "parts": len(plans)}) + "\n")
        for plan in plans:
            author = plan.endpoint.client.username
            made = replace(plan.origin, author=author, at=now, note=note or plan.origin.note)
            file.write("\n".join([*lines(replace(plan, origin=made)), ""]))
    return path


def split_plans(text: Iterable[str], where: str) -> list[list[str]]:
    """Return the lines of each plan in a file.

    Raises:
        ValueError: It does not hold as many as it says.
    """
    found = [line for line in text if line.strip()]
    head = _object(found[0]) if found else {}
    if _SEVERAL not in head:
        return [found]
    plans: list[list[str]] = []
    for line in found[1:]:
        if line.startswith('{"sispy_plan"') or not plans:
            plans.append([])
        plans[-1].append(line)
    if len(plans) != head.get("parts"):
        raise ValueError(f"{printable(where)} was altered after it was saved: make a new plan instead")
    return plans


def lines(plan: ChangeSet) -> list[str]:
    """Return the lines of a plan; equal plans have equal lines."""
    head = {
        "sispy_plan": FORMAT,
        "server": plan.endpoint.client.url,
        "schema": plan.schema.name,
        "fields": {path: _kind(plan.schema.field(path)) for path in sorted(_paths(plan))},
        "counts": plan.counts,
        "owner": plan.owner,
        "notes": list(map(what_of, plan.notes)),
        "made": {name: told for name, told in asdict(plan.origin).items() if told is not None},
    }
    for name in ("undoes", "completes"):
        if journals := getattr(plan, name):
            head[name] = list(journals)
    if plan.arrivals:
        head["arrivals"] = dict(plan.arrivals)
    if plan.made_with:
        head["made_with"] = plan.made_with
    found = [_text(head), *sorted(_cells(plan))]
    return [*found, _text({"sha256": _digest(found)})]


def digest(plan: ChangeSet) -> str:
    """Return the fingerprint of what a plan changes, which equal changes to one table of one server share.

    Who made it, when and from what, its notes and its problems have no part in it.
    """
    bare = replace(
        plan,
        problem_list=(),
        stale=(),
        conflict_list=(),
        notes=(),
        undoes=(),
        completes=(),
        arrivals={},
        made_with=None,
        origin=Origin(),
    )
    return str(json.loads(lines(bare)[-1])["sha256"])


def parse(text: Iterable[str], connect: Callable[[str], Client], *, where: str) -> ChangeSet:
    """Return the plan of some lines.

    Args:
        text: As `lines` gives them.
        connect: Gives a client for the address of the plan's server.
        where: What the lines are called in errors.

    Raises:
        ValueError: They were altered, or a field is another now.
        sispy.Error: The schema could not be read.
    """
    *content, last = [line for line in text if line.strip()] or [""]
    head = _object(content[0] if content else last)
    if head.get("sispy_plan") != FORMAT or not all(isinstance(head.get(k), kind) for k, kind in _HEAD):
        raise ValueError(f"{printable(where)} is not a plan of this version of sispy")
    if _object(last).get("sha256") != _digest(content):
        raise ValueError(f"{printable(where)} was altered after it was saved: make a new plan instead")
    client = connect(head["server"])
    schema = parse_schema(client.schemas.get(head["schema"]).to_dict())
    _refuse_other_fields(schema, head["fields"], where)
    try:
        changes, problems, stale = _read([decode_json(line) for line in content[1:]])
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration) as error:
        raise ValueError(f"{printable(where)} has a line that does not belong to a plan") from error
    return ChangeSet(
        client.entities(schema.name),
        schema,
        changes,
        problems,
        stale,
        notes=tuple(head["notes"]),
        owner=None if head["owner"] is None else tuple(head["owner"]),
        undoes=tuple(head.get("undoes", ())),
        completes=tuple(head.get("completes", ())),
        made_with=head.get("made_with"),
        origin=_origin(head.get("made")),
        arrivals=dict(head.get("arrivals", {})),
    )


def creates_in(text: Iterable[str]) -> tuple[Create, ...]:
    """Return the new rows in some lines of a plan."""
    changes = changes_in(line for line in text if line.startswith('{"create"'))
    return tuple(change for change in changes if isinstance(change, Create))


def changes_in(text: Iterable[str]) -> tuple[Change, ...]:
    """Return the changes in some lines of a plan."""
    found = [decode_json(line) for line in text if line.startswith(('{"create"', '{"update"', '{"delete"'))]
    return _read(found)[0]


def head_of(text: Iterable[str]) -> dict[str, Any]:
    """Return what the first line of a plan says of it; the rest is not read.

    Raises:
        ValueError: It is no plan.
    """
    head = _object(next(iter(text), ""))
    if head.get("sispy_plan") != FORMAT:
        raise ValueError("no plan of this version of sispy")
    return head


def _origin(found: Any) -> Origin:
    known = found if isinstance(found, dict) else {}
    texts = ((item.name, known.get(item.name)) for item in fields(Origin))
    return Origin(**{name: text for name, text in texts if isinstance(text, str)})


def _object(line: str) -> dict[str, Any]:
    try:
        found = decode_json(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _paths(plan: ChangeSet) -> set[str]:
    """Return the fields of which the plan knows values."""
    found: set[str] = set()
    for change in plan.changes:
        found.update(change.values if isinstance(change, Create) else change.before)
        found.update(change.after if isinstance(change, Update) else ())
        found.update(() if isinstance(change, Delete) else change.lacks)
    return found


def _kind(field: Field) -> str:
    """Return in words what decides how a field's values are read and compared."""
    kind: str = field.type
    if field.item:
        kind = f"[{_kind(field.item)}]"
    elif field.fields:
        kind = ", ".join(sorted(f"{inner.path}: {_kind(inner)}" for inner in field.fields))
        kind = f"[{{{kind}}}]"
    more = (field.unknown, field.ref, "trim" if field.trim else None, field.case)
    return " ".join([kind, *filter(None, more)])


def _refuse_other_fields(schema: Schema, kinds: Mapping[str, str], where: str) -> None:
    """Raise if values of the plan are not what the schema means by them now; other changes do no harm."""
    for path, kind in kinds.items():
        now = _kind(schema.field(path)) if path in schema.columns or path.startswith("_sis.") else "gone"
        if now != kind:
            raise ValueError(
                f"field {path!r} of {schema.name!r} was {kind} when {printable(where)} was made, "
                f"and is {now}: make a new plan"
            )


def _cells(plan: ChangeSet) -> Iterator[str]:
    """Yield one line per cell; a row without cells has one line of its own."""
    for change in plan.changes:
        row = _row(change)
        if isinstance(change, Create):
            cells = [{"field": path, "after": value} for path, value in change.values.items()]
        elif isinstance(change, Update):
            cells = [
                {"field": path, "before": change.before.get(path), "after": value}
                for path, value in change.after.items()
            ]
        else:
            cells = [{"field": path, "before": value} for path, value in change.before.items()]
        if not isinstance(change, Delete):
            cells += [{"field": path, "lacks": value} for path, value in change.lacks.items()]
        yield from (_text({**row, **cell}) for cell in cells or [{}])
    for p in plan.problem_list:
        line = {
            "problem": p.row,
            "column": p.column,
            "value": p.value,
            "reason": what_of(p.reason),
            "key": p.key,
        }
        yield _text(line | ({"denied": True} if p.denied else {}) | _edited(p))
    for s in plan.stale:
        yield _text({"stale": s.id, "reason": what_of(s.reason), "key": s.key} | _edited(s))


def _edited(left: Problem | Stale) -> dict[str, Any]:
    return {"rows": left.rows} if left.rows else {}


def _row(change: Change) -> dict[str, Any]:
    if isinstance(change, Create):
        return {"create": change.row, "key": change.key}
    verb = "update" if isinstance(change, Update) else "delete"
    return {verb: change.id, "key": change.key, "receipt": change.receipt}


def _read(found: list[dict[str, Any]]) -> tuple[tuple[Change, ...], tuple[Problem, ...], tuple[Stale, ...]]:
    rows: dict[tuple[str, Hashable], list[dict[str, Any]]] = {}
    problems: list[Problem] = []
    stale: list[Stale] = []
    for line in found:
        if "problem" in line:
            cell = line["column"], line["value"], line["key"]
            edited = tuple(line.get("rows", ()))
            denied = line.get("denied", False)
            problems.append(Problem(line["problem"], line["reason"], *cell, denied=denied, rows=edited))
        elif "stale" in line:
            edited = tuple(line.get("rows", ()))
            stale.append(Stale(line["stale"], line["reason"], line["key"], edited))
        else:
            verb = next(filter(line.__contains__, ("update", "create", "delete")))
            rows.setdefault((verb, line[verb]), []).append(line)
    return (
        tuple(_change(verb, row, cells) for (verb, row), cells in rows.items()),
        tuple(problems),
        tuple(stale),
    )


def _change(verb: str, row: Any, cells: list[dict[str, Any]]) -> Change:
    key, receipt = cells[0]["key"], cells[0].get("receipt")
    before = {cell["field"]: cell["before"] for cell in cells if "before" in cell}
    after = {cell["field"]: cell["after"] for cell in cells if "after" in cell}
    lacks = {cell["field"]: cell["lacks"] for cell in cells if "lacks" in cell}
    if verb == "create":
        return Create(row, after, key, lacks)
    if verb == "update":
        return Update(row, before, after, key, receipt, lacks)
    return Delete(row, before, key, receipt)


def _text(line: Any) -> str:
    text = _READABLE(line)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair is legal in JSON but not in UTF-8
        return json.dumps(line, default=str)
    return text


def _digest(found: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(found).encode()).hexdigest()
