"""Schemas of all kinds, and what is written to them: every way to look at an entity shows the same.

A state machine makes schemas from the definition language, writes what fits them (and now and then what does
not), and compares the answers with a plain model of creates and merges, and with one another: reads, lists,
counts, commits, revisions, and the same file opened again.
"""

import http.client
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from definitions import (
    ABSENT,
    JSON,
    JUNK,
    LISTS,
    NAMES,
    Field,
    a_field,
    every,
    fields,
    leaves,
    needed,
    nullable,
    same,
    unzipped,
)
from documents import at, created, flattened, merged, plain, view
from sispy.sandbox import Sandbox


@dataclass
class Table:
    """A schema as it is by now."""

    body: dict
    fields: dict
    ids: set = field(default_factory=set)
    plain: bool = True
    """Whether all stored values are those of today's definition."""


there_are_rows = precondition(lambda self: any(table.ids for table in self.tables.values()))


class Scenario(RuleBasedStateMachine):
    """The server, and what it must hold by now."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "sis.sqlite"
        self.tables = {}
        self.open()

    def open(self):
        self.sis = Sandbox(data=self.file).start()
        self.connection = http.client.HTTPConnection(self.sis.host, self.sis.port, timeout=20)

    def close(self):
        self.connection.close()
        self.sis.stop()

    def teardown(self):
        try:
            if self.tables:
                before = self.dump()
                self.close()
                self.open()
                assert self.dump() == before
        finally:
            self.close()
            self.folder.cleanup()

    def dump(self):
        found = {"schemas": self.get("/schemas")}
        for name, table in self.tables.items():
            found[name] = self.get(f"/entities/{name}", populate="false")
            for oid in sorted(table.ids):
                found[oid] = self.get(f"/entities/{name}/{oid}/commits")
        return found

    def call(self, method, path, body=None, **query):
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in query.items()}
        target = "/api/v1.1" + path + (f"?{urlencode(texts)}" if texts else "")
        headers = {"x-auth-token": self.sis.token, "Content-Type": "application/json"}
        self.connection.request(method, target, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        content = answer.read()
        self.connection.close()  # the next one may be drawn for longer than an idle connection is kept
        self.count = answer.getheader("x-total-count")
        found = json.loads(content)
        if method != "GET" or answer.status != 200:
            note(f"{method} {target} {json.dumps(body)} -> {answer.status} {content.decode()}")
        assert "unexpected error" not in str(found), found
        return answer.status, found

    def get(self, path, **query):
        status, found = self.call("GET", path, **query)
        assert status == 200, found
        return found

    # Drawing

    def pairs(self, one):
        """Return a strategy of pairs (as sent, as stored) for a field."""
        if one.kind == "nested":
            return self.objects(one.fields)
        if one.kind == "documents":
            members = self.objects(one.fields, complete=True) | st.just((None, None))
            return st.lists(members, max_size=2).map(unzipped)
        if one.ref is None:
            return one.pairs
        ids = sorted(self.tables[one.ref].ids)
        if not ids:
            return st.just(([], []) if one.kind == "array" else (None, None))
        if one.kind == "array":
            return st.lists(st.sampled_from(ids), max_size=3).map(same)
        return st.sampled_from(ids).flatmap(
            lambda oid: st.sampled_from([same(oid), ({"_id": oid, "x": 1}, oid)])
        )

    def objects(self, definition, *, complete=False):
        """Return a strategy of pairs for an object; a complete one has all that is required."""

        @st.composite
        def build(draw):
            sent, stored = {}, {}
            for name, one in definition.items():
                wanted = needed(one) if complete else False
                if wanted or draw(st.booleans()):
                    if one.kind == "nested":
                        pair = draw(self.objects(one.fields, complete=complete))
                    elif nullable(one) and draw(st.integers(0, 7)) == 0:
                        pair = (None, None)
                    else:
                        pair = draw(self.pairs(one))
                    sent[name], stored[name] = pair
            return sent, stored

        return build()

    def pick(self, data, *, rows=True):
        names = [name for name, table in self.tables.items() if table.ids or not rows]
        return data.draw(st.sampled_from(names))

    def read(self, name, oid):
        return self.get(f"/entities/{name}/{oid}", populate="false")

    # What must hold of one entity

    def check(self, name, oid, answer, sent=None):
        """Compare all views of a row; one replaced by `sent` shows defaults that no query finds."""
        table = self.tables[name]
        path = f"/entities/{name}/{oid}"
        row = self.read(name, oid)
        assert view(table.fields, row) == view(table.fields, answer)
        assert {**answer["_sis"], **row["_sis"]} == answer["_sis"]
        assert self.get(f"/entities/{name}", q={"_id": oid}, populate="false") == [row]
        assert self.count == "1"
        for path_, one in leaves(table.fields):
            value = at(row, path_)
            if sent is not None and at(sent, path_) is ABSENT and value == one.default:
                continue
            if one.kind == "scalar" and value is not ABSENT and not isinstance(value, dict) and table.plain:
                found = self.get(f"/entities/{name}", q={path_: value}, populate="false", fields="_id")
                assert oid in {each["_id"] for each in found}, (path_, value)
        if table.body["track_history"]:
            commits = self.get(f"{path}/commits")
            assert self.count == str(len(commits))
            if table.plain:
                newest = self.get(f"{path}/commits/{commits[0]['_id']}")
                assert view(table.fields, newest["value_at"]) == view(table.fields, row)
                assert newest["value_at"] == self.get(f"{path}/revision/4e15")
            else:  # there may be gaps: fields that went with the schema, or a time without history
                shown = [self.call("GET", f"{path}/commits/{commit['_id']}") for commit in commits]
                assert {status for status, _ in shown} <= {200, 404}
        elif table.plain:
            assert self.get(f"{path}/commits") == []
        self.check_population(name, row)

    def check_population(self, name, row):
        shown = self.get(f"/entities/{name}/{row['_id']}")
        for path, one in leaves(self.tables[name].fields):
            if not one.ref or one.ref not in self.tables:
                continue
            raw, populated = at(row, path), at(shown, path)
            alive = self.tables[one.ref].ids
            if one.kind == "array":  # there is none where the schema has made an object of a scalar
                found, ids = ([] if value in (None, ABSENT) else value for value in (populated, raw))
                assert [each and each["_id"] for each in found] == [
                    oid for oid in ids if oid is None or oid in alive
                ]
            elif isinstance(raw, str):
                assert populated is None if raw not in alive else populated["_id"] == raw

    def refused(self, name, status, answer):
        """Whether a write that fits was refused for a reason that is allowed."""
        table = self.tables[name]
        text = str(answer)
        if status == 500:
            return "E11000" in text and any(one.unique for one in table.fields.values())
        if status == 400 and "Reference does not exist" in text:
            return any(one.ref for one in every(table.fields))
        return status == 400 and not table.plain

    # Rules

    @initialize(data=st.data())
    def make_schemas(self, data):
        names = ["s0", "s1", "s2"][: data.draw(st.integers(1, 3))]
        for name in names:
            targets = names if data.draw(st.booleans()) else []
            self.make_schema(data, name, data.draw(fields(targets)))

    def make_schema(self, data, name, definition):
        flags = ["is_open", "is_public", "any_owner_can_modify"]
        body = {
            "name": name,
            "_sis": {"owner": ["g1"]},
            "definition": {field_name: one.entry for field_name, one in definition.items()},
            "track_history": data.draw(st.sampled_from([True, True, False])),
            "locked_fields": data.draw(st.lists(st.sampled_from(list(definition)), max_size=1)),
            **{flag: True for flag in flags if data.draw(st.integers(0, 3)) == 0},
        }
        if data.draw(st.booleans()):
            body["definition"]["name"] = {"type": "String", "required": True, "unique": True}
            texts = st.integers(0, 10**6).map(lambda n: same(f"n{n}"))
            definition = {**definition, "name": Field("", "scalar", texts, required=True, unique=True)}
            body["id_field"] = "name"
        status, made = self.call("POST", "/schemas", body)
        assert status == 201, made
        assert made["id_field"] == body.get("id_field", made["id_field"])
        assert self.get(f"/schemas/{name}")["definition"].keys() == body["definition"].keys()
        self.tables[name] = Table(body, definition)

    @rule(data=st.data())
    def create(self, data):
        name = self.pick(data, rows=False)
        table = self.tables[name]
        sent, stored = data.draw(self.objects(table.fields, complete=True))
        if not sent:
            return
        if data.draw(st.booleans()):
            sent["_sis"] = {"owner": ["g1"], "tags": ["t"]}
        status, made = self.call("POST", f"/entities/{name}", sent)
        if status != 201:
            # a POST takes no references as objects within arrays of documents either
            assert self.refused(name, status, made) or (status == 500 and "references" in str(made)), made
            return
        table.ids.add(made["_id"])
        assert plain(made) == plain(created(table.fields, stored))
        assert made["_v"] == 0
        self.check(name, made["_id"], made)

    @rule(data=st.data(), all_or_none=st.booleans())
    def create_many(self, data, all_or_none):
        name = self.pick(data, rows=False)
        table = self.tables[name]
        items = data.draw(st.lists(self.objects(table.fields, complete=True), min_size=1, max_size=3))
        bodies = [sent for sent, _ in items]
        query = {"all_or_none": "true"} if all_or_none else {}
        status, outcome = self.call("POST", f"/entities/{name}", bodies, **query)
        assert status == 200
        done, wrong = outcome["success"], outcome["errors"]
        assert len(done) + len(wrong) == len(bodies) or (all_or_none and wrong and not done)
        for row in done:
            table.ids.add(row["_id"])
            assert "_v" not in row
            self.check(name, row["_id"], row)
        if not wrong:
            assert [plain(row) for row in done] == [
                plain(created(table.fields, stored)) for _, stored in items
            ]
        self.get(f"/entities/{name}", populate="false")
        assert self.count == str(len(table.ids))

    @there_are_rows
    @rule(data=st.data(), force=st.booleans(), dotted=st.booleans())
    def update(self, data, force, dotted):
        name = self.pick(data)
        table = self.tables[name]
        oid = data.draw(st.sampled_from(sorted(table.ids)))
        before = self.read(name, oid)
        sent, stored = data.draw(self.objects(table.fields))
        if not sent:
            return
        if dotted:
            sent = flattened(table.fields, sent)
        by_name = "name" in table.fields and table.body.get("id_field") == "name" and data.draw(st.booleans())
        key = quote(before["name"], safe="") if by_name else oid
        query = {"forceMixed": "true"} if force else {}
        status, after = self.call("PUT", f"/entities/{name}/{key}", sent, **query)
        if status != 200:
            assert self.refused(name, status, after), after
            assert self.read(name, oid) == before
            return
        if table.plain:
            expected = merged(table.fields, plain(before), stored, force=force)
            assert view(table.fields, after) == view(table.fields, expected)
        assert after["_sis"]["_updated_at"] > before["_sis"]["_updated_at"]
        self.check(name, oid, after)

    @there_are_rows
    @rule(data=st.data())
    def update_many(self, data):
        name = self.pick(data)
        table = self.tables[name]
        ids = data.draw(st.lists(st.sampled_from(sorted(table.ids)), min_size=1, max_size=3, unique=True))
        before = {oid: self.read(name, oid) for oid in ids}
        pairs = {oid: data.draw(self.objects(table.fields)) for oid in ids}
        items = [{"_id": oid, **sent} for oid, (sent, _) in pairs.items()]
        status, outcome = self.call("PUT", f"/entities/{name}", items)
        assert status == 200
        assert len(outcome["success"]) + len(outcome["errors"]) == len(ids)
        for after in outcome["success"]:
            oid = after["_id"]
            if table.plain:
                expected = merged(table.fields, plain(before[oid]), pairs[oid][1])
                assert view(table.fields, after) == view(table.fields, expected)
            self.check(name, oid, after)
        for oid in set(ids) - {after["_id"] for after in outcome["success"]}:
            assert self.read(name, oid) == before[oid]

    @there_are_rows
    @rule(data=st.data(), stale=st.booleans())
    def compare_and_set(self, data, stale):
        name = self.pick(data)
        table = self.tables[name]
        oid = data.draw(st.sampled_from(sorted(table.ids)))
        before = self.read(name, oid)
        sent, _ = data.draw(self.objects(table.fields, complete=True))  # nested values are replaced
        if not sent:
            return
        moment = before["_sis"]["_updated_at"] - stale
        status, after = self.call(
            "PUT",
            f"/entities/{name}/{oid}",
            {**sent, "_sis": before["_sis"]},
            cas={"_sis._updated_at": moment},
        )
        if stale:
            assert status in {400, 500}, after
            assert self.read(name, oid) == before
        elif status == 200:
            self.check(name, oid, after, sent)
        else:
            assert self.refused(name, status, after) or not table.plain, after

    @there_are_rows
    @rule(data=st.data())
    def update_by_query(self, data):
        name = self.pick(data)
        table = self.tables[name]
        sent, _ = data.draw(self.objects(table.fields))
        if not sent:
            return
        condition = data.draw(self.conditions(table))
        found = {row["_id"] for row in self.get(f"/entities/{name}", q=condition, populate="false")}
        status, outcome = self.call("PUT", f"/entities/{name}", sent, q=condition)
        if status != 200:
            assert status in {400, 500}, outcome
            assert not found
            return
        done = {row["_id"]: row for row in outcome["success"]}
        assert done.keys() | {error["value"]["_id"] for error in outcome["errors"]} == found
        for oid, row in done.items():
            self.check(name, oid, row)

    @precondition(lambda self: any("name" in table.fields for table in self.tables.values()))
    @rule(data=st.data())
    def upsert(self, data):
        name = data.draw(st.sampled_from([n for n, table in self.tables.items() if "name" in table.fields]))
        table = self.tables[name]
        sent, stored = data.draw(self.objects(table.fields, complete=True))
        status, after = self.call("PUT", f"/entities/{name}/{sent['name']}", sent, upsert="true")
        if status == 201:
            table.ids.add(after["_id"])
            assert plain(after) == plain(created(table.fields, stored))
        if status in {200, 201}:
            self.check(name, after["_id"], after)
        else:
            assert status in {400, 500}, after

    @there_are_rows
    @rule(data=st.data())
    def delete(self, data):
        name = self.pick(data)
        oid = data.draw(st.sampled_from(sorted(self.tables[name].ids)))
        before = self.read(name, oid)
        if data.draw(st.booleans()):
            status, gone = self.call("DELETE", f"/entities/{name}/{oid}")
            assert status == 200
        else:
            status, outcome = self.call("DELETE", f"/entities/{name}", q={"_id": oid})
            (gone,) = outcome["success"]
        assert gone == before
        self.tables[name].ids.discard(oid)
        assert self.call("GET", f"/entities/{name}/{oid}")[0] == 404
        if self.tables[name].body["track_history"]:
            commits = self.get(f"/entities/{name}/{oid}/commits")
            assert (commits[0]["action"], commits[0]["commit_data"]) == ("delete", before)
            newest = self.get(f"/entities/{name}/{oid}/commits/{commits[0]['_id']}")
            assert newest["value_at"] == before
            if self.tables[name].plain:
                assert self.get(f"/entities/{name}/{oid}/revision/4e15") == before

    @there_are_rows
    @rule(data=st.data(), many=st.booleans())
    def write_nonsense(self, data, many):
        name = self.pick(data)
        table = self.tables[name]
        oid = data.draw(st.sampled_from(sorted(table.ids)))
        paths = [path for path, _ in leaves(table.fields)] + list(table.fields) + ["_sis", "l.0.x", "a.b.c.0"]
        before = self.read(name, oid)
        body = data.draw(st.dictionaries(st.sampled_from(paths), JUNK | JSON, min_size=1, max_size=2))
        if many:
            status, outcome = self.call("PUT", f"/entities/{name}", [{"_id": oid, **body}])
            assert status == 200
            assert len(outcome["success"]) + len(outcome["errors"]) == 1
            status, after = (200, outcome["success"][0]) if outcome["success"] else (400, outcome)
        else:
            status, after = self.call("PUT", f"/entities/{name}/{oid}", body)
        assert status in {200, 400, 500}, after
        if status == 200:
            self.check(name, oid, after)
        else:
            assert self.read(name, oid) == before

    @rule(data=st.data(), many=st.booleans())
    def create_nonsense(self, data, many):
        name = self.pick(data, rows=False)
        table = self.tables[name]
        sent, _ = data.draw(self.objects(table.fields, complete=True))
        paths = [path for path, _ in leaves(table.fields)] + list(table.fields) + ["_sis", "_id", "l.0.x"]
        body = sent | data.draw(st.dictionaries(st.sampled_from(paths), JUNK | JSON, min_size=1, max_size=2))
        status, made = self.call("POST", f"/entities/{name}", [body] if many else body)
        if many:
            assert (status, len(made["success"]) + len(made["errors"])) == (200, 1)
            status, made = (201, made["success"][0]) if made["success"] else (400, made)
        assert status in {201, 400, 500}, made
        if status == 201:
            table.ids.add(made["_id"])
            self.check(name, made["_id"], made)

    def conditions(self, table):
        """Return a strategy of queries that fit a definition."""
        simple = {"scalar", "mixed"}
        paths = [(path, one) for path, one in leaves(table.fields) if one.kind in simple and one.ref is None]
        if not paths:
            return st.just({"_sis._created_by": "root"})

        @st.composite
        def condition(draw):
            path, one = draw(st.sampled_from(paths))
            sent, stored = draw(one.pairs)
            if isinstance(stored, dict) and one.kind == "scalar":
                path, sent = f"{path}.cidr", stored["cidr"]
            operator = draw(
                st.sampled_from(["", "$eq", "$ne", "$gte", "$lt", "$in", "$nin", "$exists", "$not"])
            )
            operand = {
                "": sent,
                "$in": [sent],
                "$nin": [sent],
                "$exists": True,
                "$not": {"$gt": sent},
            }.get(operator, sent)
            return {path: operand} if not operator else {path: {operator: operand}}

        return condition()

    @there_are_rows
    @rule(data=st.data())
    def look(self, data):
        name = self.pick(data)
        table = self.tables[name]
        path = f"/entities/{name}"
        everything = {row["_id"]: row for row in self.get(path, populate="false")}
        assert everything.keys() == table.ids
        condition = data.draw(self.conditions(table))
        found = [row["_id"] for row in self.get(path, populate="false", q=condition)]
        assert self.count == str(len(found))
        for same_one in ({"$and": [condition]}, {"$or": [condition]}, {"$nor": [{"$nor": [condition]}]}):
            assert [row["_id"] for row in self.get(path, populate="false", q=same_one)] == found
        others = [row["_id"] for row in self.get(path, populate="false", q={"$nor": [condition]})]
        if found or others:  # what cannot be cast finds nothing, either way
            assert sorted([*found, *others]) == sorted(table.ids)
        names = [path_ for path_, _ in leaves(table.fields)] + ["_id", "_sis._updated_at"]
        key = data.draw(st.sampled_from(names))
        for sort in (key, f"-{key}"):
            assert {row["_id"] for row in self.get(path, populate="false", sort=sort)} == table.ids
        chosen = data.draw(st.lists(st.sampled_from(list(table.fields)), min_size=1, unique=True))
        for row in self.get(path, populate="false", fields=",".join(chosen)):
            whole = everything[row["_id"]]
            assert {k: row[k] for k in chosen if k in row} == {k: whole[k] for k in chosen if k in whole}
        for row in self.get(path, populate="false", fields=",".join(f"-{one}" for one in chosen)):
            whole = everything[row["_id"]]
            assert {k: v for k, v in row.items() if k not in chosen} == {
                k: v for k, v in whole.items() if k not in chosen
            }
        for row in self.get(path, populate="false", removeEmpty="true"):
            lists = [path_ for path_, one in leaves(table.fields) if one.kind in LISTS]
            assert not lists or all(at(row, path_) != [] for path_ in lists)
        pages = [
            self.get(path, populate="false", sort="_id", limit="1", offset=str(i))
            for i in range(len(everything))
        ]
        assert [row for page in pages for row in page] == [everything[oid] for oid in sorted(everything)]

    @rule(data=st.data())
    def change_the_schema(self, data):
        name = self.pick(data, rows=False)
        table = self.tables[name]
        removable = [one for one in table.fields if one != "name"]
        definition = dict(table.fields)
        gone = set()
        if len(removable) > 1 and data.draw(st.booleans()):
            gone = {data.draw(st.sampled_from(removable))}
            definition = {key: one for key, one in definition.items() if key not in gone}
        else:
            other = data.draw(st.sampled_from([key for key in NAMES if key != "name"]))
            definition[other] = data.draw(a_field(list(self.tables), 0))
        entries = {
            key: table.body["definition"]["name"] if key == "name" else one.entry
            for key, one in definition.items()
        }
        body = {**table.body, "definition": entries}
        if data.draw(st.integers(0, 4)) == 0:
            body["track_history"] = not body["track_history"]
        status, answer = self.call("PUT", f"/schemas/{name}", body)
        if gone & set(body["locked_fields"]):
            assert (status, answer["code"]) == (400, 1001)
            return
        assert status == 200, answer
        self.tables[name] = Table(body, definition, table.ids, plain=False)
        for row in self.get(f"/entities/{name}", populate="false"):
            assert not gone & row.keys()

    @precondition(lambda self: any(not table.plain for table in self.tables.values()))
    @rule(data=st.data())
    def start_anew(self, data):
        """A changed schema is emptied and gets its history back, so that all is exact again."""
        name = data.draw(st.sampled_from([n for n, table in self.tables.items() if not table.plain]))
        table = self.tables[name]
        status, outcome = self.call("DELETE", f"/entities/{name}", q={"_sis._version": {"$exists": True}})
        assert (status, outcome["errors"]) == (200, [])
        assert {row["_id"] for row in outcome["success"]} == table.ids
        table.ids.clear()
        table.plain = True


@pytest.mark.parametrize("examples", [40, pytest.param(1_500, marks=pytest.mark.soak)])
def test_all_views_of_an_entity_agree(examples):
    chosen = settings(
        max_examples=examples,
        stateful_step_count=12,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=examples < 1000,
    )
    run_state_machine_as_test(Scenario, settings=chosen)
