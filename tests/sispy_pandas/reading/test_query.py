import datetime
import re
from typing import Any

import pytest

from sispy_pandas.reading.query import Query, parse_query
from sispy_pandas.values.schema import parse_schema

HOST = parse_schema(
    {
        "name": "host",
        "definition": {
            "name": "String",
            "cpus": "Number",
            "live": "Boolean",
            "since": "Date",
            "os": {"name": "String", "version": "String"},
            "rack": {"type": "ObjectId", "ref": "rack"},
            "services": [{"type": "ObjectId", "ref": "service"}],
            "ip": "IpAddress",
            "tags": ["String"],
            "nics": [{"mac": "String", "net": {"type": "ObjectId", "ref": "rack"}}],
            "facts": "Mixed",
        },
    }
)
OTHERS = {
    "rack": parse_schema(
        {"name": "rack", "definition": {"name": "String", "site": {"type": "ObjectId", "ref": "site"}}}
    ),
    "site": parse_schema({"name": "site", "definition": {"name": "String"}}),
    "service": parse_schema({"name": "service", "definition": {"name": "String", "port": "Number"}}),
}
ID = "a" * 24


def nested(levels):
    q: dict[str, Any] = {"cpus": 1}
    for _ in range(levels):
        q = {"$or": [q]}
    return q


def parsed(query, fields=None):
    return parse_query(HOST, query, fields, OTHERS.__getitem__)


@pytest.mark.parametrize(
    ("q", "sent"),
    [
        ('{"cpus": 4}', {"cpus": 4}),
        ({"cpus": "4"}, {"cpus": 4}),
        ({"cpus": {"$in": {4}}}, {"cpus": {"$in": [4]}}),
        ({"cpus": {"$not": {"$gt": "4"}}}, {"cpus": {"$not": {"$gt": 4}}}),
        ({"live": "no"}, {"live": False}),
        ({"since": {"$gte": datetime.date(2020, 1, 2)}}, {"since": {"$gte": "2020-01-02T00:00:00.000Z"}}),
        ({"name": None, "tags": "x", "tags.0": "y"}, {"name": None, "tags": "x", "tags.0": "y"}),
        ({"tags": ["x"], "os.name": {"$regex": "^r"}}, {"tags": ["x"], "os.name": {"$regex": "^r"}}),
        ({"nics.mac": "x", "nics.0.mac": "y"}, {"nics.mac": "x", "nics.0.mac": "y"}),
        ({"rack.site.name": "fra1"}, {"rack.site.name": "fra1"}),
        ({"services.port": {"$gt": "80"}}, {"services.port": {"$gt": 80}}),
        ({"nics.net.name": "x"}, {"nics.net.name": "x"}),
        ({"ip.ip_address": "10.0.0.1", "facts.a.b": "3"}, {"ip.ip_address": "10.0.0.1", "facts.a.b": "3"}),
        ({"_id": {"$gt": ID}, "_sis.tags": "x"}, {"_id": {"$gt": ID}, "_sis.tags": "x"}),
        ({"_sis._updated_at": {"$gt": 5}}, {"_sis._updated_at": {"$gt": 5}}),
        ({"_sis._created_at": {"$lt": datetime.date(1970, 1, 2)}}, {"_sis._created_at": {"$lt": 86_400_000}}),
        ({"tags": {"$size": 2, "$regex": "x"}}, {"tags": {"$size": 2, "$regex": "x"}}),
        ({"$or": [{"cpus": "1"}, {"$and": [{"cpus": 2}]}]}, {"$or": [{"cpus": 1}, {"$and": [{"cpus": 2}]}]}),
        ({"os": {"name": "x"}}, {"os": {"name": "x"}}),
    ],
)
def test_a_filter_is_sent_with_values_of_the_fields_types(q, sent):
    assert parsed({"q": q}) == Query(q=sent)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"q": {"nme": 1}}, "schema 'host' has no field 'nme'; did you mean 'name'?"),
        ({"q": {"os.vers": 1}}, "schema 'host' has no field 'os.vers'; did you mean 'os.version'?"),
        ({"q": {"nics.macc": 1}}, "schema 'host' has no field 'nics.macc'; did you mean 'nics.mac'?"),
        ({"q": {"rack.nam": 1}}, "schema 'rack' has no field 'nam'; did you mean 'name'?"),
        ({"q": {"name.x": 1}}, "'name' of schema 'host' is String: there is no 'x' below it"),
        ({"q": {"_sis.ownr": 1}}, "_sis has no '_sis.ownr'; did you mean '_sis.owner'?"),
        ({"q": {"$orr": []}}, "q: no operator '$orr' here; did you mean '$or' or '$nor'?"),
        ({"q": {"$or": []}}, "q: $or takes a list of filters, got []"),
        ({"q": {"cpus": {"$gr": 1}}}, "q: 'cpus': no operator '$gr'; did you mean '$gt'?"),
        ({"q": {"cpus": {"$exists": 1}}}, "q: 'cpus': $exists is true or false, got 1"),
        ({"q": {"cpus": "many"}}, "q: 'cpus': 'many' is not a number: the server would find nothing"),
        (
            {"q": {"rack": "r1"}},
            "q: 'rack': 'r1' is not an id of 24 hex digits: the server would find nothing",
        ),
        ({"q": {"rack._id": ID}}, "the server never finds 'rack._id': use 'rack'"),
        (
            {"q": {"rack": ID, "rack.name": "x"}},
            "q: of 'rack' and 'rack.name' the server would drop one: use $and",
        ),
        ({"q": [1]}, "q is an object, got [1]"),
        ({"q": "[1]"}, "q is an object, got [1]"),
        ({"q": '{"cpus"'}, "q is not JSON: Expecting ':' delimiter"),
        ({"q": '{"$or":[' * 50_000}, "q is nested too deeply"),
        ({"q": nested(60)}, "q is nested more than 50 levels deep"),
        ({"q": {"ip": "10.0.0.1"}}, "q: 'ip': it is stored as an object: compare 'ip.ip_address'"),
        ({"q": {"cpus": {"$regex": "1"}}}, "q: 'cpus': $regex finds texts, not values of type Number"),
        ({"q": {"ip": {"$regex": "^10"}}}, "q: 'ip': $regex finds texts, not values of type IpAddress"),
        ({"q": {"name": {"$regex": "(web"}}}, "q: 'name': '(web' is not a regex: missing ), unterminated"),
        (
            {"q": {"name": {"$regex": "a", "$options": "g"}}},
            "q: 'name': a regex has the options i, m, s and x",
        ),
        ({"q": {"name": {"$regex": 5}}}, "q: 'name': a regex is a text, and so are its options, got 5, ''"),
        ({"q": {"name": {"$size": 1}}}, "q: 'name': $size finds lists, not values of type String"),
        ({"q": {"facts.$where": 1}}, "'facts.$where': no key is empty or begins with $"),
        ({"q": "cpus = many"}, "'cpus': 'many' is not a number"),
        ("cpus = many", "'cpus': 'many' is not a number"),
        ("", "the filter is empty: one is 'status = live'; leave it out to find all rows"),
        (
            {"qq": {}},
            "query has no 'qq'; did you mean 'q'?",
        ),
        ({"populate": True}, "a frame holds ids, not populated objects: expand=['reference.field'] adds"),
        ({"limit": 0}, "limit is a whole number from 1 up, got 0"),
        ({"offset": "x"}, "offset is a whole number from 0 up, got 'x'"),
        ({"sort": "nam"}, "schema 'host' has no field 'nam'; did you mean 'name'?"),
        ({"sort": "rack.name"}, "the server cannot sort by 'rack.name', which is in another schema"),
        ({"fields": "name,cpu"}, "schema 'host' has no field 'cpu'; did you mean 'cpus'?"),
        ({"fields": "name,-cpus"}, "fields either names what is wanted or, with '-', what is not"),
    ],
)
def test_what_the_server_would_not_find_is_an_error(query, message):
    with pytest.raises(ValueError) as caught:
        parsed(query)
    assert str(caught.value).startswith(message.removesuffix("?"))


def test_a_filter_may_be_given_as_text():
    assert parsed("cpus >= 4") == parsed({"q": "cpus >= 4"}) == Query(q={"cpus": {"$gte": 4}}, is_text=True)
    assert parsed('{"cpus": 4}') == parsed({"q": ' {"cpus": 4}'}) == Query(q={"cpus": 4})
    assert parsed({"q": ""}) == parsed(None) == Query()


@pytest.mark.parametrize("wrong", [[1], [], 0, False, ()])
def test_what_is_no_filter_does_not_mean_all_rows(wrong):
    with pytest.raises(TypeError, match="a query is a text such as 'status = live' or a dict such as"):
        parsed(wrong)
    with pytest.raises(ValueError, match=re.escape(f"q is an object, got {wrong!r}")):
        parsed({"q": wrong})


def test_fields_are_leaves_in_the_order_of_the_schema():
    assert parsed({}, ["os", "name"]).fields == ("name", "os.name", "os.version")
    assert parsed({"fields": "-nics, -os"}).fields == (
        "name", "cpus", "live", "since", "rack", "services", "ip", "tags", "facts",
    )  # fmt: skip
    assert parsed({}, ["_sis.owner"]).fields == ("_sis.owner",)
    assert parsed({"sort": "-cpus, name", "limit": "5", "offset": 2, "populate": False}) == Query(
        sort=(("cpus", True), ("name", False)), limit=5, offset=2
    )
