"""Three tables that refer to each other, and lists of the first one as anybody may ask for them."""

import random

KEY = {"type": "String", "required": True, "unique": True}
OTHER = {"name": KEY, "num": "Number", "tags": ["String"], "when": "Date"}
OTHER["next"] = {"type": "ObjectId", "ref": "other"}
MIDDLE = {"name": KEY, "one": {"type": "ObjectId", "ref": "other"}}
ROW = {
    "s": "String",
    "n": "Number",
    "b": "Boolean",
    "d": "Date",
    "m": "Mixed",
    "l": ["String"],
    "ln": ["Number"],
    "ld": ["Date"],
    "any": [],
    "sub": {"a": "Number", "s": "String", "in": {"x": "Number"}, "l": ["String"]},
    "docs": [{"k": "String", "v": "Number", "w": "Date", "tags": ["String"], "r": OTHER["next"]}],
    "ip": "IpAddress",
    "was": "Number",  # it was a String when the rows were made
    "one": OTHER["next"],
    "many": [OTHER["next"]],
    "nest": {"r": OTHER["next"]},
    "two": {"type": "ObjectId", "ref": "middle"},
}

TEXTS = ["a", "b", "ab", "B", "3", "", "é", "true"]
NUMBERS = [0, 1, 2, 3, 2.5, -7, 40]
DATES = ["2020-01-01", "2020-01-02T03:04:05Z", "2020-06-30T23:59:59.999Z", "1969-12-31"]
ADDRESSES = ["10.1.2.3/24", "10.1.2.4", "2001:db8::1/64"]


def fill(call):
    """Make the tables and their rows; some references lead to what is gone."""
    draw = random.Random(7)  # noqa: S311 - the same rows in every run

    def some(pool, upto=3):
        return [draw.choice(pool) for _ in range(draw.randrange(upto + 1))]

    def given(**values):
        return {name: value for name, value in values.items() if draw.random() < 0.7}

    def made(name, rows):
        status, bulk = call("POST", f"/entities/{name}", rows)
        assert (status, bulk["errors"]) == (200, []), bulk
        return [row["_id"] for row in bulk["success"]]

    for name, definition in (("other", OTHER), ("middle", MIDDLE), ("row", {**ROW, "was": "String"})):
        body = {"name": name, "_sis": {"owner": ["g"]}, "definition": definition}
        assert call("POST", "/schemas", body)[0] == 201
    others = []
    for i in range(9):
        following = {"next": draw.choice(others)} if others and i % 3 else {}
        values = given(num=draw.choice(NUMBERS), tags=some(TEXTS), when=draw.choice(DATES))
        others += made("other", [{"name": f"o{i}", **values, **following}])
    middles = made("middle", [{"name": f"m{i}", **given(one=draw.choice(others))} for i in range(5)])
    rows = [
        given(
            s=draw.choice([*TEXTS, None]),
            n=draw.choice([*NUMBERS, None]),
            b=draw.choice([True, False, None]),
            d=draw.choice([*DATES, None]),
            m={
                **given(k=draw.choice([1, "1", True, None, 2.5, [1, 2]]), list=some([1, "a", None])),
                **given(o={"x": draw.choice([1, 2]), "y": "a"}),
            },
            l=some([*TEXTS, None]),
            ln=some(NUMBERS),
            ld=some(DATES),
            any=some([1, "a", None, {"x": 1}]),
            sub=given(a=draw.choice(NUMBERS), s=draw.choice(TEXTS), l=some(TEXTS), **{"in": {"x": 1}}),
            docs=[
                {
                    "k": draw.choice(TEXTS),
                    "v": draw.choice([*NUMBERS, None]),
                    "w": draw.choice(DATES),
                    "tags": some(TEXTS, 2),
                    "r": draw.choice([*others, None]),
                }
                for _ in range(draw.randrange(3))
            ],
            ip=draw.choice(ADDRESSES),
            was=draw.choice(["3", "x", "2.5"]),
            one=draw.choice(others),
            many=some(others),
            nest={"r": draw.choice(others)},
            two=draw.choice(middles),
            _sis={"tags": some(TEXTS, 2), "locked": draw.random() < 0.3},
        )
        or {"s": "a"}
        for _ in range(60)
    ]
    made("row", [row if len(row.keys() - {"_sis"}) else {"s": "b"} for row in rows])
    changed = {"name": "row", "_sis": {"owner": ["g"]}, "definition": ROW}
    assert call("PUT", "/schemas/row", changed)[0] == 200
    made("row", [{"was": 3}, {"was": 2.5}])
    for name in (others[4], others[7]):
        assert call("DELETE", f"/entities/other/{name}")[0] == 200


# Values: those that fit, those that are cast, those that are refused

FITTING = {
    "String": TEXTS,
    "Number": NUMBERS,
    "Boolean": [True, False],
    "Date": DATES,
}
CASTABLE = {
    "String": [3, True, 2.5],
    "Number": ["3", " 2 ", "0x3", "1e0", True, "", "-7"],
    "Boolean": ["no", "false", 0, 1, "", "0"],
    "Date": [1577836800000, "1577836800000", "", "2020-01-02T04:04:05+01:00"],
    "ObjectId": ["123456789012"],
}
WRONG = {
    "String": [{"x": 1}],
    "Number": ["abc", {"x": 1}, "1,5"],
    "Boolean": ["no"],
    "Date": ["garbage", True, {"x": 1}],
    "ObjectId": ["zz", "", 5, True],
}
ANYTHING = [1, "1", True, None, 2.5, [1, 2], {"x": 1, "y": "a"}, {"y": "a", "x": 1}, "a", "zz"]
SCALARS = {
    "s": "String",
    "n": "Number",
    "b": "Boolean",
    "d": "Date",
    "was": "Number",
    "_id": "ObjectId",
    "one": "ObjectId",
    "nest.r": "ObjectId",
    "docs.r": "ObjectId",
    "l.0": "String",
    "ln.1": "Number",
    "sub.a": "Number",
    "sub.s": "String",
    "sub.in.x": "Number",
    "docs.k": "String",
    "docs.v": "Number",
    "docs.w": "Date",
    "docs.0.k": "String",
    "docs.1.v": "Number",
    "_sis._created_at": "Number",
    "_sis.locked": "Boolean",
}
LISTS = {
    "l": "String",
    "ln": "Number",
    "ld": "Date",
    "many": "ObjectId",
    "sub.l": "String",
    "docs.tags": "String",
    "_sis.tags": "String",
}
JOINS = {
    "one.num": "Number",
    "one.name": "String",
    "one.when": "Date",
    "one._id": "ObjectId",
    "many.num": "Number",
    "many.name": "String",
    "nest.r.num": "Number",
    "docs.r.name": "String",
    "two.one.num": "Number",
    "two.name": "String",
    "one.next.name": "String",
}
FREE = ["m", "m.k", "m.list", "m.list.0", "m.o", "m.o.x", "any", "any.x"]
FREE += ["zzz", "zzz.a", "sub", "sub.zzz", "n.x"]
ORDERED = ["$gt", "$gte", "$lt", "$lte"]
PATTERNS = ["^a", "b$", "A", ".", "^$", "3|b"]
SORTS = ["s", "n", "d", "b", "m.k", "sub.a", "docs.v", "l", "ln", "zzz", "was"]
ARRAYS = {"docs.v", "l", "ln"}
FIELDS = ["s", "n", "m.k", "m", "l", "sub", "sub.a", "docs.k", "docs", "one", "many", "zzz", "_id", "ip.cidr"]


class Asker:
    """Asks for lists at random; the same number asks for the same."""

    def __init__(self, number, ids):
        self._random = random.Random(number)  # noqa: S311 - a test that can be repeated
        self._ids = ids

    def options(self):
        """The options of a list, as its client has them."""
        asked = {"q": self.query(), "sort": self.sort()}
        if self.chance(0.5):
            asked["fields"] = self.fields()
        if self.chance(0.5):
            asked["populate"] = self.one(["false", "false", "one", "many,nest.r", "docs.r,zzz"])
        if self.chance(0.3):
            asked |= {"limit": self.one([0, 1, 7, 20_000, -3]), "offset": self.one([0, 1, 5, 100])}
        if self.chance(0.1) and "fields" not in asked:
            asked["removeEmpty"] = "true"
        return asked

    def sort(self):
        """Up to two fields, the `_id` at last: what is equal has no order. The database takes one array."""
        names = self.some(SORTS, 2)
        names = names if len(ARRAYS & set(names)) < 2 else names[:1]
        return ",".join([*(f"{self.one(['', '-'])}{name}" for name in names), "_id"])

    def fields(self):
        names = self.some(FIELDS, 3 if self.chance(0.5) else 1)
        if self.chance(0.3):
            names = [f"-{name}" for name in names]
        return " ,".join([*names, "-n"] if self.chance(0.05) else names)

    def query(self, depth=0):
        parts = [self.condition() for _ in range(self.one([1, 1, 1, 2, 3]))]
        query = {path: condition for part in parts for path, condition in part.items()}
        if depth < 3 and self.chance(0.4):
            query = query if self.chance(0.5) else {}
            inner = [self.query(depth + 1) for _ in range(self.one([1, 2, 2, 3]))]
            query[self.one(["$and", "$or", "$or", "$nor"])] = inner if self.chance(0.97) else []
        return query if self.chance(0.98) else {**query, "$bad": 1}

    def condition(self):
        what = self._random.random()
        if what < 0.4:
            path = self.one(list(SCALARS))
            return {path: self.on_scalar(SCALARS[path])}
        if what < 0.6:
            path = self.one(list(LISTS))
            return {path: self.on_list(LISTS[path])}
        if what < 0.75:
            path = self.one([*JOINS, "one.tags", "one._sis.locked", "one.zzz"])
            if path == "one.tags":
                return {path: self.on_list("String")}
            return {path: 1 if path == "one.zzz" else self.on_scalar(JOINS.get(path, "Boolean"))}
        if what < 0.83:
            return {"docs": self.on_documents()}
        if what < 0.86:
            return self.one([{"ip.ip_address": "10.1.2.3"}, {"ip.cidr": {"$gte": 32}}, {"ip.version": "v6"}])
        return {self.one(FREE): self.on_anything()}

    def on_scalar(self, kind):
        if self.chance(0.3):
            return self.value(kind)
        if self.chance(0.1):
            return self.values(kind)
        operators = {
            "$eq": lambda: self.value(kind),
            "$ne": lambda: self.value(kind),
            **dict.fromkeys(ORDERED, lambda: self.value(kind)),
            "$in": lambda: self.values(kind) if self.chance(0.8) else self.value(kind),
            "$nin": lambda: self.values(kind),
            "$all": lambda: self.values(kind),
            "$exists": lambda: self.one([True, False] * 5 + [0, "yes", None]),
            "$type": lambda: self.one(["string", "number", 8, "date", "objectId", "null"] * 3 + ["nope", 99]),
        }
        if kind == "String" or self.chance(0.1):
            operators["$regex"] = lambda: self.one(PATTERNS)
        if kind == "Number" or self.chance(0.1):
            operators["$mod"] = lambda: self.one([[2, 1], ["2", "0"], [2, 0]] * 4 + [[0, 1], [2]])
        if self.chance(0.1):
            operators |= {"$size": lambda: 1, "$elemMatch": lambda: {"$gt": 1}, "$bad": lambda: 1}
        return self.operators(operators)

    def on_list(self, kind):
        if self.chance(0.4):
            return self.value(kind) if self.chance(0.7) else self.values(kind)
        sure = {
            "$eq": lambda: self.fitting(kind),
            **dict.fromkeys(ORDERED, lambda: self.fitting(kind)),
            "$in": lambda: [self.fitting(kind), self.fitting(kind)],
            "$size": lambda: self.one([0, 1, 2]),
            "$elemMatch": lambda: {"$gte": self.fitting(kind), "$lte": self.fitting(kind)},
        }
        if self.chance(0.2):
            return {"$not": self.operators(sure)}
        return self.operators(
            {
                **sure,
                "$ne": lambda: self.value(kind),
                "$nin": lambda: self.values(kind),
                "$all": lambda: self.values(kind),
                "$exists": lambda: self.one([True, False] * 5 + [1]),
                "$size": lambda: self.one([0, 1, "1", 2]),
                **({"$regex": lambda: self.one(PATTERNS)} if kind == "String" or self.chance(0.1) else {}),
                **({"$mod": lambda: [2, 0]} if self.chance(0.1) else {}),
            },
            negatable=False,
        )

    def on_documents(self):
        if self.chance(0.1):
            return self.one([[], None])
        element = {"$elemMatch": self.element()}
        return self.one(
            [
                {"$size": self.one([0, 1, "2"])},
                {"$exists": self.chance(0.5)},
                element,
                element,
                {"$not": element},
                {"$all": [element, {"$elemMatch": self.element()}]},
            ]
        )

    def element(self):
        return self.one(
            [
                {"k": self.on_scalar("String")},
                {"k": self.fitting("String"), "v": self.on_scalar("Number")},
                {"$or": [{"v": self.on_scalar("Number")}, {"w": self.on_scalar("Date")}]},
                {"tags": self.on_list("String")},
                {},
            ]
        )

    def on_anything(self):
        if self.chance(0.3):
            return self.one(ANYTHING)
        return self.operators(
            {
                "$eq": lambda: self.one(ANYTHING),
                "$ne": lambda: self.one(ANYTHING),
                **dict.fromkeys(ORDERED, lambda: self.one(ANYTHING)),
                "$in": lambda: self.some(ANYTHING, 3),
                "$nin": lambda: self.some(ANYTHING, 3),
                "$all": lambda: self.some(ANYTHING, 2),
                "$exists": lambda: self.one([True, False, 0, 1, None, "no"]),
                "$size": lambda: self.one([0, 1, 2, "1"]),
                "$mod": lambda: self.one([[2, 1], [2, 0]]),
                "$elemMatch": lambda: self.one([{"$gte": 1}, {"x": 1}, {"x": {"$gt": 0}}]),
                "$type": lambda: self.one(["string", "number", 8, "object", "null"]),
                "$regex": lambda: self.one(PATTERNS),
            }
        )

    def operators(self, operands, *, negatable=True):
        names = self._random.sample(list(operands), self.one([1, 1, 1, 2]))
        condition = {name: operands[name]() for name in names}
        if "$regex" in condition and self.chance(0.4):
            condition["$options"] = "i"
        return {"$not": condition} if negatable and self.chance(0.15) else condition

    def value(self, kind):
        pool = self.one(["fits"] * 28 + ["cast"] * 8 + ["wrong"])
        return (
            self.fitting(kind) if pool == "fits" else self.one((CASTABLE if pool == "cast" else WRONG)[kind])
        )

    def values(self, kind):
        return [self.value(kind) for _ in range(self.one([1, 1, 2, 3]))]

    def fitting(self, kind):
        if self.chance(0.1):
            return None
        return self.one(self._ids if kind == "ObjectId" else FITTING[kind])

    def one(self, pool):
        return self._random.choice(pool)

    def some(self, pool, upto):
        return self._random.sample(pool, self._random.randint(0, upto))

    def chance(self, share):
        return self._random.random() < share
