"""Definitions of schemas of all kinds for hypothesis, with values that fit: as sent, and as stored."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

from hypothesis import strategies as st

from strategies import recursive

ABSENT = object()
LISTS = {"array", "documents", "any"}
NAMES = ["a", "b", "c", "d", "e", "type_", "é"]
LETTERS = st.text("abcXYZ é😀", max_size=6)
JSON_SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.just(0.5) | LETTERS
KEYS = st.sampled_from(["x", "y", "z"])
JSON = recursive(
    JSON_SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
JUNK = st.sampled_from(
    ["zz zz", {"x": 1}, [[1]], [None], {}, -1e300, "", 77, True, None, "$x", [{}], ["a", {}]]
)


@dataclass
class Field:
    """One entry of a definition: its notation, and a strategy of pairs (as sent, as stored)."""

    entry: Any
    kind: str = "scalar"
    pairs: st.SearchStrategy | None = None
    ref: str | None = None
    required: bool = False
    unique: bool = False
    default: object = ABSENT
    fields: dict = field(default_factory=dict)

    def _repr_pretty_(self, printer, _):
        printer.text(repr(self.entry))


def same(value):
    return (value, value)


def unzipped(pairs):
    return [sent for sent, _ in pairs], [stored for _, stored in pairs]


def iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def address(pair):
    number, prefix = pair
    interface = IPv4Interface((number, prefix))
    network = interface.network
    stored = {
        "ip_address": str(IPv4Address(number)),
        "version": "v4",
        "cidr": prefix,
        "network": str(network.network_address),
        "broadcast": str(network.broadcast_address),
        "subnet_mask": str(network.netmask),
    }
    return (f"{IPv4Address(number)}/{prefix}", stored)


MOMENTS = st.integers(-(10**11), 10**13).map(
    lambda ms: (ms, iso(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)))
)
SCALARS = {
    "String": LETTERS.map(same) | st.just((12, "12")) | st.just((True, "true")),
    "Number": st.integers(-(2**53), 2**53).map(same)
    | st.floats(-1e6, 1e6, width=32).map(same)
    | st.sampled_from([("12", 12), (" 5 ", 5), ("0x10", 16), (True, 1), ("", None)]),
    "Boolean": st.sampled_from([same(True), same(False), ("no", True), (0, False), ("", False)]),
    "Date": MOMENTS | st.just(("2020-01-02", "2020-01-02T00:00:00.000Z")) | st.just(("", None)),
    "ObjectId": st.integers(0, 16**24 - 1).map(lambda n: (f"{n:024X}", f"{n:024x}")),
    "IpAddress": st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(address),
}
OPTIONS = [
    ("String", {"enum": ["a", "b", "c"]}, st.sampled_from("abc").map(same)),
    ("String", {"match": "/^[a-z]{1,3}$/i"}, st.text("abXY", min_size=1, max_size=3).map(same)),
    ("String", {"minlength": 2, "maxlength": 4}, st.text("ab", min_size=2, max_size=4).map(same)),
    ("String", {"lowercase": True}, st.text("aB", max_size=3).map(lambda text: (text, text.lower()))),
    (
        "String",
        {"uppercase": True, "trim": True},
        st.text("aB ", max_size=3).map(lambda t: (t, t.strip().upper())),
    ),
    ("Number", {"min": -5, "max": 5}, st.integers(-5, 5).map(same)),
    ("Date", {"min": "2000-01-01"}, st.just(same("2020-01-02T03:04:05.006Z"))),
]


def scalar(draw):
    if draw(st.booleans()):
        kind, options, pairs = draw(st.sampled_from(OPTIONS))
    else:
        kind = draw(st.sampled_from(list(SCALARS)))
        options, pairs = {}, SCALARS[kind]
    return kind, dict(options), pairs


@st.composite
def fields(draw, targets, depth=0):
    """Give the fields of a definition or of one of its levels."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    return {name: draw(a_field(targets, depth)) for name in names}


@st.composite
def a_field(draw, targets, depth):
    kinds = ["scalar", "scalar", "scalar", "mixed", "array", "reference", "references"]
    kinds += ["nested", "documents", "arrays", "anything"] if depth < 2 else []
    kind = draw(st.sampled_from(kinds))
    if kind in {"reference", "references"} and not targets:
        kind = "scalar"
    if kind == "scalar":
        return draw(scalar_field(depth))
    if kind == "mixed":
        return Field(draw(st.sampled_from(["Mixed", {"type": "Mixed"}, "Object"])), "mixed", JSON.map(same))
    if kind == "array":
        name, options, pairs = scalar(draw)
        members = st.lists(pairs | st.just((None, None)), max_size=3).map(unzipped)
        bare = [name] if not options else [{"type": name, **options}]
        required = draw(st.integers(0, 5)) == 0
        entry = {"type": bare, "required": True} if required else bare
        if required:
            members = members.filter(lambda pair: pair[1])
        return Field(entry, "array", members, required=required)
    if kind == "reference":
        target = draw(st.sampled_from(targets))
        return Field({"type": "ObjectId", "ref": target}, "scalar", ref=target)
    if kind == "references":
        target = draw(st.sampled_from(targets))
        return Field([{"type": "ObjectId", "ref": target}], "array", ref=target)
    inner = draw(fields(targets, depth + 1))
    if kind == "nested":
        return Field({name: one.entry for name, one in inner.items()}, "nested", fields=inner)
    if kind == "documents":
        return Field([{name: one.entry for name, one in inner.items()}], "documents", fields=inner)
    if kind == "arrays":
        rows = st.lists(st.lists(st.integers(-9, 9), max_size=3), max_size=3)
        return Field([["Number"]], "array", rows.map(same))
    return Field(draw(st.sampled_from([[], ["Mixed"]])), "any", st.lists(JSON, max_size=3).map(same))


@st.composite
def scalar_field(draw, depth):
    kind, options, pairs = scalar(draw)
    extra = draw(st.sampled_from(["", "", "", "default", "required", "unique", "index"]))
    made = Field({"type": kind, **options}, "scalar", pairs)
    if extra == "default":
        sent, made.default = draw(pairs)
        made.entry["default"] = sent
    elif extra == "required":
        made.entry["required"] = made.required = True
    elif extra == "unique" and depth == 0:
        made.entry |= {"unique": True, "sparse": draw(st.booleans())}
        made.unique = True
    elif extra == "index":
        made.entry["index"] = True
    elif not options and draw(st.booleans()):
        made.entry = kind
    if made.required:
        made.pairs = pairs.filter(lambda pair: pair[1] not in (None, ""))
    return made


def leaves(definition, prefix=""):
    for name, one in definition.items():
        if one.kind == "nested":
            yield from leaves(one.fields, f"{prefix}{name}.")
        else:
            yield prefix + name, one


def needed(one):
    """Whether an object must have a field: because it, or something within it, is required."""
    return one.required or (one.kind == "nested" and any(map(needed, one.fields.values())))


def nullable(one):
    """Whether null fits; it is none of the values of an enum."""
    return (
        not one.required and one.kind != "mixed" and not (isinstance(one.entry, dict) and "enum" in one.entry)
    )


def every(definition):
    for one in definition.values():
        yield one
        yield from every(one.fields)
