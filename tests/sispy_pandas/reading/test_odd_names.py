"""Names of fields that a list of fields would take for something else: a sign, blanks, a comma."""

import pytest

import sispy_pandas as sp
from sispy.sandbox import Sandbox
from sispy_pandas.reading.lookup import read, referring

NAMES = ("-a", "+b", " c ", "d,e")
VALUES = {name: name.strip("-+ ") for name in NAMES}


@pytest.fixture(scope="module")
def odd():
    with Sandbox() as sis:
        client = sis.client()
        fields = dict.fromkeys(NAMES, "String")
        definition = {"name": {"type": "String", "unique": True}, "a": "String", **fields}
        client.schemas.create({"name": "odd", "_sis": {"owner": ["g"]}, "definition": definition})
        yield client.entities("odd")


@pytest.fixture
def row(odd):
    made = odd.create({"name": "x", "a": "plain", **VALUES}).to_dict()
    yield made
    odd.delete(made["_id"])


@pytest.mark.parametrize("name", NAMES)
def test_such_a_field_is_fetched_alone(odd, row, name):
    frame = sp.fetch(odd, fields=[name], progress=False).frame()

    assert (list(frame.columns), frame[name].tolist()) == ([name, "_updated_at"], [VALUES[name]])


@pytest.mark.parametrize("name", NAMES)
def test_such_a_field_is_looked_up_with_others(odd, row, name):
    (found,) = read(odd, "_id", [row["_id"]], fields=["name", name])
    (referred,) = referring(odd, "name", ["x"], ["name", name])

    assert {found[name], referred[name]} == {VALUES[name]}


def test_other_fields_are_still_all_that_is_read(odd, row):
    (found,) = read(odd, "_id", [row["_id"]], fields=["name"])

    assert sorted(found) == ["_id", "name"]


@pytest.mark.parametrize("name", NAMES)
def test_the_guard_sees_what_others_wrote_there(odd, row, name):
    plan = (live := sp.fetch(odd, progress=False)).diff(live.frame().assign(**{name: "mine"}))
    odd.update(row["_id"], {name: "theirs"})

    report = plan.push(progress=False)

    assert [(c.field, c.base, c.mine, c.theirs) for c in report.conflict_list] == [
        (name, VALUES[name], "mine", "theirs")
    ]
    assert odd.get(row["_id"])[name] == "theirs"


def test_what_is_no_field_of_that_name_leaves_the_field_out(odd, row):
    frame = sp.fetch(odd, fields=["-name"], progress=False).frame()

    assert list(frame.columns) == ["a", *NAMES, "_updated_at"]
