"""What a list of entities answers, as plainly as it can be told: section 6 of the contract, line by line.

Nothing here is fast, compiled or shared with the sandbox. Documents are read into typed values first, as the
database has them (a date is a Moment, an id an Oid); a query is cast by the definition, then asked of each of
them.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LOGICAL = ("$and", "$or", "$nor")
LARGEST_PAGE = 10_000
META = {
    "_created_at": "Number",
    "_updated_at": "Number",
    "_created_by": "String",
    "_updated_by": "String",
    "owner": ["String"],
    "tags": ["String"],
    "locked": "Boolean",
    "immutable": "Boolean",
}


class Void(Exception):  # noqa: N818 - it is the server's word, more or less: nothing is found
    """A query that the database or its driver refuses: 200, no rows."""


class Refused(Exception):  # noqa: N818 - of the request, not of the test
    """A request that is answered by an error."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


class Oid(str):
    """An ObjectId, which is not text."""


class Moment(int):
    """A date as milliseconds, which are no number."""


ABSENT = object()


# Definitions: what stands at a path


@dataclass(frozen=True)
class Field:
    """A field: its kind, the type or the ones below it, and the schema that it refers to."""

    kind: str  # scalar, mixed, nested, array, documents
    type: Any = None
    ref: str | None = None


UNKNOWN = Field("unknown")


def field_of(entry):
    if isinstance(entry, list):
        if not entry:
            return Field("array", UNKNOWN)
        inner = field_of(entry[0])
        if inner.kind == "nested":
            return Field("documents", {"_id": "ObjectId", **inner.type})
        return Field("array", inner, inner.ref)
    if isinstance(entry, dict):
        if isinstance(entry.get("type"), str):
            return Field("scalar", entry["type"], entry.get("ref"))
        return Field("nested", entry)
    return Field("mixed") if entry == "Mixed" else Field("scalar", entry)


def field_at(definition, path):
    """The field at a dotted path; through arrays with and without an index."""
    field = Field("nested", {"_id": "ObjectId", "_v": "Number", "_sis": META, **definition})
    for part in path.split("."):
        if field.kind == "array" and part.isdigit():
            field = field.type
        elif field.kind == "documents" and part.isdigit():
            field = Field("nested", field.type)
        elif field.kind in ("nested", "documents") and part in field.type:
            field = field_of(field.type[part])
        else:
            return UNKNOWN
    return field


def is_typed(field):
    return field.kind in ("scalar", "array", "documents")


def references(definition, prefix=""):
    """Paths of references in the order of the definition: path -> schema."""
    found = {}
    for name, entry in definition.items():
        field = field_of(entry)
        if field.ref:
            found[prefix + name] = field.ref
        elif field.kind in ("nested", "documents"):
            found |= references(field.type, f"{prefix}{name}.")
    return found


def arrays(definition, prefix=""):
    """Paths of all arrays that are in no other array."""
    found = []
    for name, entry in definition.items():
        field = field_of(entry)
        if field.kind in ("array", "documents"):
            found.append(prefix + name)
        elif field.kind == "nested":
            found += arrays(field.type, f"{prefix}{name}.")
    return found


# Values: as the database has them, and as a query casts them


def typed(field, value):
    """A value of an answer as it is stored."""
    if isinstance(value, str) and field.kind == "scalar" and field.type == "ObjectId":
        return Oid(value)
    if isinstance(value, str) and field.kind == "scalar" and field.type == "Date":
        return moment(value)
    if isinstance(value, list):
        inner = Field("nested", field.type) if field.kind == "documents" else field.type
        return [typed(inner if isinstance(inner, Field) else UNKNOWN, one) for one in value]
    if isinstance(value, dict) and field.kind == "nested":
        return {
            name: typed(field_of(field.type[name]), one) if name in field.type else one
            for name, one in value.items()
        }
    return value


def document(definition, shown):
    """A shown entity as it is stored."""
    return typed(Field("nested", {"_id": "ObjectId", "_sis": META, **definition}), shown)


def moment(text):
    when = datetime.fromisoformat(text)
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return Moment(round(when.timestamp() * 1000))


def cast(kind, value):
    """Cast a value of a query to a type (4.3)."""
    if value is None:
        return None
    return {
        "String": as_text,
        "Number": as_number,
        "Boolean": as_boolean,
        "Date": as_date,
        "ObjectId": as_id,
    }[kind](value)


def as_text(value):
    if isinstance(value, dict):
        raise Void
    if isinstance(value, list):
        return ",".join("" if one is None else as_text(one) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:g}"


def as_number(value):
    if isinstance(value, dict | list):
        raise Void
    if isinstance(value, str):
        if not value.strip():
            return None if value == "" else 0
        try:
            return int(value, 16) if value.strip().startswith("0x") else float(value)
        except ValueError:
            raise Void from None
    return float(value)


def as_boolean(value):
    return isinstance(value, dict | list) or value not in (False, 0, "0", "false", "")


def as_date(value):
    if value == "":
        return None
    if isinstance(value, bool | dict | list):
        raise Void
    if isinstance(value, int | float):
        return Moment(value)
    try:
        return Moment(int(value)) if re.fullmatch(r"-?\d{5,}", value) else moment(value)
    except ValueError:
        raise Void from None


def as_id(value):
    if isinstance(value, str) and re.fullmatch("[0-9a-fA-F]{24}", value):
        return Oid(value.lower())
    if isinstance(value, str) and len(value.encode()) == 12:
        return Oid(value.encode().hex())
    raise Void


# Casting a query: every condition becomes a mapping of operators to operands


def cast_query(definition, query):
    casted = []
    for key, condition in query.items():
        if key in LOGICAL:
            if not isinstance(condition, list) or not condition:
                raise Void
            casted.append((key, [cast_query(definition, part) for part in condition]))
        elif key.startswith("$"):
            raise Void
        else:
            casted.append((key, cast_condition(field_at(definition, key), condition)))
    return casted


def cast_condition(field, condition):
    if isinstance(condition, dict) and any(name.startswith("$") for name in condition):
        operators = dict(condition)
        options = operators.pop("$options", "")
        return [(name, cast_operand(field, name, operand, options)) for name, operand in operators.items()]
    if isinstance(condition, list) and field.kind == "scalar":
        return [("$in", cast_operand(field, "$in", condition, ""))]
    return [("$eq", cast_operand(field, "$eq", condition, ""))]


def cast_operand(field, name, operand, options):
    if name in ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte"):
        return cast_value(field, operand)
    if name in ("$in", "$nin", "$all"):
        members = operand if isinstance(operand, list) else [operand]
        return [
            cast_operand(field, "$elemMatch", one["$elemMatch"], "")
            if isinstance(one, dict) and "$elemMatch" in one
            else cast_value(field, one)
            for one in members
        ]
    if name == "$exists":
        if is_typed(field) and not isinstance(operand, bool):
            raise Void
        return operand not in (None, False, 0)
    if name == "$size":
        if field.kind == "scalar" or (isinstance(operand, str) and not is_typed(field)):
            raise Void
        return as_number(operand)
    if name == "$elemMatch":
        if field.kind == "scalar" or not isinstance(operand, dict):
            raise Void
        return ElementMatch.cast(field, operand)
    if name == "$regex":
        inner = field.type if field.kind == "array" else field
        if is_typed(inner) and inner.type != "String":
            raise Void
        return re.compile(operand, re.IGNORECASE if "i" in options else 0)
    if name == "$mod":
        if is_typed(field) and (field.kind, field.type) != ("scalar", "Number"):
            raise Void
        if not isinstance(operand, list) or len(operand) != 2:
            raise Void
        divisor, remainder = map(as_number, operand)
        if not divisor:
            raise Void
        return divisor, remainder
    if name == "$type":
        if operand not in TYPES:
            raise Void
        return TYPES[operand]
    if name == "$not":
        if not isinstance(operand, dict) or not all(one.startswith("$") for one in operand):
            raise Void
        return cast_condition(field, operand)
    raise Void


def cast_value(field, value):
    if field.kind == "scalar":
        return cast(field.type, value) if field.type != "IpAddress" else value
    if field.kind == "array" and isinstance(value, list):
        return [cast_value(field.type, one) for one in value]
    if field.kind == "array":
        return cast_value(field.type, value)
    return value


@dataclass(frozen=True)
class ElementMatch:
    """What one member of an array must be: a document that meets a query, or a value that meets operators."""

    query: Any = None
    operators: Any = None

    @classmethod
    def cast(cls, field, operand):
        if operand and all(name.startswith("$") and name not in LOGICAL for name in operand):
            return cls(operators=cast_condition(field.type if field.kind == "array" else UNKNOWN, operand))
        return cls(query=cast_query(field.type if field.kind == "documents" else {}, operand))

    def meets(self, member):
        if self.operators is not None:
            return all(holds(name, operand, [member], [member]) for name, operand in self.operators)
        return isinstance(member, dict) and matches(self.query, member)


TYPES: dict[object, str] = {
    2: "string",
    3: "object",
    7: "objectId",
    8: "bool",
    9: "date",
    10: "null",
    **{name: name for name in ("string", "object", "objectId", "bool", "date", "null", "number")},
}


# Asking a document


def matches(query, entity):
    for key, condition in query:
        if key == "$and":
            answer = all(matches(part, entity) for part in condition)
        elif key == "$or":
            answer = any(matches(part, entity) for part in condition)
        elif key == "$nor":
            answer = not any(matches(part, entity) for part in condition)
        else:
            ends = ends_of(entity, key.split("."))
            every = ends + [member for end in ends if isinstance(end, list) for member in end]
            answer = all(holds(name, operand, ends, every) for name, operand in condition)
        if not answer:
            return False
    return True


def ends_of(value, parts):
    """What a path leads to: ABSENT where an object lacks it, nothing at all in an array without objects."""
    if not parts:
        return [value]
    if isinstance(value, dict):
        return ends_of(value[parts[0]], parts[1:]) if parts[0] in value else [ABSENT]
    if not isinstance(value, list):
        return [ABSENT]
    found = [end for member in value if isinstance(member, dict) for end in ends_of(member, parts)]
    if parts[0].isdigit() and int(parts[0]) < len(value):
        member = value[int(parts[0])]
        if len(parts) == 1 or isinstance(member, dict | list):
            found += ends_of(member, parts[1:])
    return found


def holds(name, operand, ends, every):
    """Whether an operator holds for a path: `ends` are its values, `every` those and members of arrays."""
    if name in ("$ne", "$nin"):
        return not holds("$eq" if name == "$ne" else "$in", operand, ends, every)
    if name == "$not":
        return not all(holds(one, inner, ends, every) for one, inner in operand)
    if name == "$eq":
        return any(equal(value, operand) for value in every)
    if name == "$in":
        return any(equal(value, one) for value in every for one in operand)
    if name == "$all":
        return bool(operand) and all(
            holds("$elemMatch" if isinstance(one, ElementMatch) else "$eq", one, ends, every)
            for one in operand
        )
    if name == "$exists":
        return any(value is not ABSENT for value in ends) is operand
    if name == "$size":
        return any(isinstance(value, list) and len(value) == operand for value in ends)
    if name == "$elemMatch":
        return any(operand.meets(one) for value in ends if isinstance(value, list) for one in value)
    if name == "$regex":
        return any(type(value) is str and operand.search(value) is not None for value in every)
    if name == "$mod":
        return any(kind(v) == "number" and math.fmod(int(v), operand[0]) == operand[1] for v in every)
    if name == "$type":
        return any(value is not ABSENT and kind(value) == operand for value in every)
    same = [v for v in every if rank(v) == rank(operand)]
    if rank(operand) == rank(None):
        return name in ("$gte", "$lte") and bool(same)
    low, high = ("$gt", "$gte"), ("$gte", "$lte")
    return any(
        (order(v) > order(operand) if name in low else order(v) < order(operand))
        or (name in high and order(v) == order(operand))
        for v in same
    )


KINDS = ("null", "number", "string", "object", "array", "objectId", "bool", "date")


def kind(value):
    if value is None or value is ABSENT:
        return "null"
    for found, types in (("objectId", Oid), ("date", Moment), ("bool", bool), ("string", str)):
        if isinstance(value, types):
            return found
    kinds: dict[type, str] = {dict: "object", list: "array"}
    return kinds.get(type(value), "number")


def rank(value):
    return KINDS.index(kind(value))


def equal(value, other):
    if isinstance(value, dict) and isinstance(other, dict):
        return list(value) == list(other) and all(equal(value[key], other[key]) for key in value)
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(equal, value, other))
    if kind(value) != kind(other):
        return False
    return kind(value) == "null" or value == other


def order(value):
    """A key by which any two values can be sorted."""
    if isinstance(value, dict):
        return (3, *((rank(one), name, order(one)) for name, one in value.items()))
    if isinstance(value, list):
        return (4, *map(order, value))
    return (rank(value),) if kind(value) == "null" else (rank(value), value)


# The answer


@dataclass(frozen=True)
class Table:
    """A schema's entities as they are stored: what a list shows without population."""

    definition: dict
    shown: list

    @property
    def rows(self):
        return [document(self.definition, row) for row in self.shown]


def answer(tables, name, options):
    """What a list answers: (rows, their number before paging); Refused where it is an error."""
    table = tables[name]
    query = options.get("q", {})
    if not isinstance(query, dict):
        raise Refused(400)
    query = joined(tables, name, query)
    try:
        casted = cast_query(table.definition, query)
    except Void:
        return [], 0
    found = [
        (stored, shown)
        for stored, shown in zip(table.rows, table.shown, strict=True)
        if matches(casted, stored)
    ]
    for key in reversed(options["sort"].split(",") if options.get("sort") else []):
        if key in ("", "-"):
            raise Refused(500)
        descending = key.startswith("-")
        path = key.lstrip("+-").split(".")
        found.sort(key=lambda pair: sort_key(pair[0], path, descending), reverse=descending)
    offset = options.get("offset", 0)
    page = found[offset : offset + (abs(options.get("limit", 0)) or LARGEST_PAGE)]
    return shown_as([shown for _, shown in page], tables, table, options), len(found)


def joined(tables, name, query):
    """Replace conditions through references by the ids that they lead to (6.5)."""
    table = tables[name]
    ways = references(table.definition)
    plain, ids = {}, {}
    for key, condition in query.items():
        if key in LOGICAL and isinstance(condition, list):
            plain[key] = [joined(tables, name, part) for part in condition]
            continue
        way = next((path for path in ways if key.startswith(f"{path}.")), None)
        if way is None:
            plain[key] = condition
            continue
        found = ids_of(tables, ways[way], key[len(way) + 1 :], condition)
        ids[way] = ids[way] & found if way in ids else found
    return plain | {way: {"$in": sorted(found)} for way, found in ids.items()}


def ids_of(tables, name, path, condition):
    if path == "_id":
        return set()
    other = tables[name]
    try:
        query = cast_query(other.definition, joined(tables, name, {path: condition}))
    except Void:
        raise Refused(500) from None
    return {str(row["_id"]) for row in other.rows if matches(query, row)}


def sort_key(entity, path, descending):
    """Ascending an array counts by its least member, descending by its greatest; an empty one comes first."""
    values = []
    for end in ends_of(entity, path):
        values += [(-1,)] if end == [] else map(order, end) if isinstance(end, list) else [order(end)]
    return (max if descending else min)(values, default=order(None))


def shown_as(rows, tables, table, options):
    """Projection, population, `removeEmpty` (6.2, 5.5, 5.6)."""
    ways = references(table.definition)
    wanted = options.get("populate")
    if wanted == "false":
        ways = {}
    elif wanted:
        ways = {path: ref for path, ref in ways.items() if path in wanted.split(",")}
    names = [name.strip() for name in options.get("fields", "").split(",") if name.strip()]
    if names:
        rows = projected(rows, names, list(ways), arrays(table.definition))
    if options.get("removeEmpty"):
        return [without_empty(table.definition, without(row, [["_sis", "_trans_id"]])) for row in rows]
    for path, ref in ways.items():
        others = {other["_id"]: other for other in tables[ref].shown}
        rows = [populated(row, path.split("."), others) for row in rows]
    return rows


def projected(rows, names, ways, lists):
    out = [name[1:] for name in names if name.startswith("-")]
    chosen = [name for name in names if not name.startswith("-")]
    if chosen and [name for name in out if name != "_id"]:
        raise Refused(500)
    if chosen or out == ["_id"]:
        paths = [name for name in dict.fromkeys(chosen + ways * bool(chosen)) if name != "_id"]
        collide(paths)
        if chosen:
            rows = [only(row, [p.split(".") for p in paths]) | {"_id": row["_id"]} for row in rows]
    else:
        collide(out)
    rows = [without(row, [path.split(".") for path in out]) for row in rows]
    return [with_lists(row, [path.split(".") for path in lists]) for row in rows]


def collide(paths):
    if any(other.startswith(f"{path}.") for path in paths for other in paths):
        raise Refused(500)


def only(value, paths):
    if isinstance(value, list):
        return [only(one, paths) for one in value if isinstance(one, dict | list)]
    found = {}
    for name, one in value.items():
        below = [path[1:] for path in paths if path[0] == name]
        if [] in below:
            found[name] = one
        elif below and isinstance(one, dict | list):
            found[name] = only(one, below)
    return found


def without(value, paths):
    if isinstance(value, list):
        return [without(one, paths) for one in value]
    if not isinstance(value, dict) or not paths:
        return value
    found = {}
    for name, one in value.items():
        below = [path[1:] for path in paths if path[0] == name]
        if [] not in below:
            found[name] = without(one, below)
    return found


def with_lists(row, lists):
    row = dict(row)
    for name, *rest in lists:
        if not rest:
            row.setdefault(name, [])
        elif isinstance(row.get(name, {}), dict):
            row[name] = with_lists(row.get(name, {}), [rest])
    return row


def without_empty(definition, row):
    kept = {}
    for name, one in row.items():
        field = field_of(definition[name]) if name in definition else UNKNOWN
        if field.kind == "nested":
            one = without_empty(field.type, one)
        if not (field.kind in ("array", "documents", "nested") and one in ([], {})):
            kept[name] = one
    return kept


def populated(value, path, others):
    """Put what is referred to in place of ids; what is gone is null, or no member of an array."""
    if isinstance(value, list):
        members = [populated(one, path, others) for one in value]
        return [one for one in members if path or one is not None]
    if not path:
        return others.get(value)
    if not isinstance(value, dict) or path[0] not in value:
        return value
    return {**value, path[0]: populated(value[path[0]], path[1:], others)}
