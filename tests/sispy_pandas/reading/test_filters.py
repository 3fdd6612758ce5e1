import pytest

from sispy_pandas.reading.filters import parse_filters
from sispy_pandas.values.schema import parse_schema

HOST = parse_schema(
    {
        "name": "host",
        "definition": {
            "name": "String",
            "status": {"type": "String", "enum": ["live", "dead"]},
            "cpus": "Number",
            "live": "Boolean",
            "since": "Date",
            "os": {"version": "Number"},
            "rack": {"type": "ObjectId", "ref": "rack"},
            "ip": "IpAddress",
            "tags": ["String"],
            "facts": "Mixed",
        },
    }
)
RACK = parse_schema(
    {"name": "rack", "definition": {"name": "String", "site": {"type": "ObjectId", "ref": "site"}}}
)
SITE = parse_schema({"name": "site", "definition": {"name": "String"}})
LOOKUP = {"rack": RACK, "site": SITE}.__getitem__


@pytest.mark.parametrize(
    ("text", "q"),
    [
        ("status=live", {"status": "live"}),
        (" status != live ", {"status": {"$ne": "live"}}),
        ("status in live, dead", {"status": {"$in": ["live", "dead"]}}),
        ("cpus>=8", {"cpus": {"$gte": 8}}),
        ("cpus < 1.5", {"cpus": {"$lt": 1.5}}),
        ("name~^web", {"name": {"$regex": "^web"}}),
        ("name!~a=b", {"name": {"$not": {"$regex": "a=b"}}}),
        ("name=a=b", {"name": "a=b"}),
        ("live=no", {"live": False}),
        ("tags=x", {"tags": "x"}),
        ("os.version=9", {"os.version": 9}),
        ("rack.site.name=fra1", {"rack.site.name": "fra1"}),
        ("ip=10.0.0.1", {"ip.ip_address": "10.0.0.1"}),
        ("ip=10.0.0.1/24", {"ip.ip_address": "10.0.0.1", "ip.cidr": 24}),
        ("ip!=10.0.0.1", {"$nor": [{"ip.ip_address": "10.0.0.1"}]}),
        ("ip~^10[.]", {"ip.ip_address": {"$regex": "^10[.]"}}),
        ("facts.a=3", {"facts.a": 3}),
        ("facts.a=true", {"facts.a": True}),
        ("facts.a=x", {"facts.a": "x"}),
        ("name is empty", {"name": {"$in": [None, ""]}}),
        ("cpus is  not  empty", {"cpus": {"$nin": [None]}}),
        ("tags is empty", {"tags.0": {"$exists": False}}),
        ("ip is not empty", {"ip.ip_address": {"$nin": [None]}}),
        (
            "since=2020-01-31",
            {"since": {"$gte": "2020-01-31T00:00:00.000Z", "$lt": "2020-02-01T00:00:00.000Z"}},
        ),
        ("since>2020-01-31", {"since": {"$gte": "2020-02-01T00:00:00.000Z"}}),
        ("since<=2020-01-31T12:00Z", {"since": {"$lte": "2020-01-31T12:00:00.000Z"}}),
    ],
)
def test_a_filter_as_typed(text, q):
    assert parse_filters(HOST, [text], LOOKUP) == q


def test_several_filters_must_all_be_met():
    assert parse_filters(HOST, ["cpus>=2", "cpus<8"], LOOKUP) == {
        "$and": [{"cpus": {"$gte": 2}}, {"cpus": {"$lt": 8}}]
    }
    assert parse_filters(HOST, [], LOOKUP) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("status", "'status' is no filter; one is 'status=live'"),
        ("status=", "'status=': no value; to find rows without one: 'status is empty'"),
        ("statu=live", "schema 'host' has no field 'statu'; did you mean 'status'"),
        ("cpus=many", "q: 'cpus': 'many' is no number"),
        ("ip>10.0.0.1", "'ip' is an IP address: it has =, !=, ~ and !~, not '>'"),
        ("name is empty x", "nothing may follow 'is empty'"),
    ],
)
def test_what_is_no_filter_is_named(text, message):
    with pytest.raises(ValueError) as caught:
        parse_filters(HOST, [text], LOOKUP)
    assert message in str(caught.value)
