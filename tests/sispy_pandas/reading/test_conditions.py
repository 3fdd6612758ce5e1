"""What filters ask of the server, by the types of the fields."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import sispy_pandas as sp
from sispy_pandas.reading.conditions import query_of
from sispy_pandas.reading.filters import parse
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
            "os": {"name": "String", "version": "Number"},
            "rack": {"type": "ObjectId", "ref": "rack"},
            "services": [{"type": "ObjectId", "ref": "service"}],
            "ip": "IpAddress",
            "tags": ["String"],
            "days": ["Date"],
            "nics": [{"mac": "String", "ip": "IpAddress", "seen": "Date", "vlans": ["Number"]}],
            "facts": "Mixed",
        },
    }
)
OTHERS = {
    "rack": parse_schema(
        {
            "name": "rack",
            "id_field": "name",
            "definition": {
                "name": "String",
                "site": {"type": "ObjectId", "ref": "site"},
                "power": {"kw": "Number"},
            },
        }
    ),
    "site": parse_schema({"name": "site", "definition": {"name": "String"}}),
    "service": parse_schema({"name": "service", "definition": {"name": "String", "port": "Number"}}),
}
ID = "a" * 24
EMPTY = "is empty, is not empty"
NICS = "nics.mac, nics.ip, nics.seen, nics.vlans"
YEAR = "2020-12-31T23:59:59.999Z"
SOME = {"$exists": True, "$not": {"$type": 10}}
FIRST, LAST = "2020-01-31T00:00:00.000Z", "2020-01-31T23:59:59.999Z"


def q_of(text):
    return query_of(parse(text), HOST, OTHERS.__getitem__)


@pytest.mark.parametrize(
    ("text", "q"),
    [
        ("status=live", {"status": "live"}),
        ("status != live", {"status": {"$ne": "live"}}),
        ("status in live, dead", {"status": {"$in": ["live", "dead"]}}),
        ("status nin live, dead", {"status": {"$nin": ["live", "dead"]}}),
        ("name = $where", {"name": "$where"}),
        ('name = ""', {"name": ""}),
        ("name > m", {"name": {"$gt": "m"}}),
        ("cpus>=8", {"cpus": {"$gte": 8}}),
        ("cpus = '8'", {"cpus": 8}),
        ("cpus < -1.5", {"cpus": {"$lt": -1.5}}),
        ("cpus in 1,2.0", {"cpus": {"$in": [1, 2]}}),
        ("live=no", {"live": False}),
        ("rack = " + ID.upper(), {"rack": ID}),
        ("_id > " + ID, {"_id": {"$gt": ID}}),
        ("name~^web", {"name": {"$regex": "^web"}}),
        ("name ~ /^web/i", {"name": {"$regex": "^web", "$options": "i"}}),
        ("name like web", {"name": {"$regex": "web", "$options": "i"}}),
        ("name like /web/m", {"name": {"$regex": "web", "$options": "mi"}}),
        ("name!~web", {"$nor": [{"name": {"$regex": "web"}}]}),
        ("name not like w", {"$nor": [{"name": {"$regex": "w", "$options": "i"}}]}),
        ("tags=x", {"tags": "x"}),
        ("tags.0 = x", {"tags.0": "x"}),
        ("nics.mac != x", {"nics.mac": {"$ne": "x"}}),
        ("os.version=9", {"os.version": 9}),
        ("rack.site.name=fra1", {"rack.site.name": "fra1"}),
        ("rack.site.name!=fra1", {"$nor": [{"rack.site.name": "fra1"}]}),
        ("services.port > 80", {"services.port": {"$gt": 80}}),
        ("ip=10.0.0.1", {"ip.ip_address": "10.0.0.1"}),
        ("ip=10.0.0.1/24", {"ip.ip_address": "10.0.0.1", "ip.cidr": 24}),
        ("ip!=10.0.0.1", {"ip.ip_address": {"$ne": "10.0.0.1"}}),
        ("ip!=10.0.0.1/24", {"$nor": [{"ip.ip_address": "10.0.0.1", "ip.cidr": 24}]}),
        ("ip in 10.0.0.1,::1", {"ip.ip_address": {"$in": ["10.0.0.1", "::1"]}}),
        (
            "ip nin 10.0.0.1/24,::1",
            {"$nor": [{"$or": [{"ip.ip_address": "10.0.0.1", "ip.cidr": 24}, {"ip.ip_address": "::1"}]}]},
        ),
        ("ip~^10[.]", {"ip.ip_address": {"$regex": "^10[.]"}}),
        ("ip.cidr < 24", {"ip.cidr": {"$lt": 24}}),
        ("nics.ip = 10.0.0.1", {"nics.ip.ip_address": "10.0.0.1"}),
        (
            "nics.ip = 10.0.0.1/24",
            {"nics": {"$elemMatch": {"ip.ip_address": "10.0.0.1", "ip.cidr": 24}}},
        ),
        ("facts.a=3", {"facts.a": 3}),
        ("facts.a='3'", {"facts.a": "3"}),
        ("facts.a in -3, 0.5, 1e3, 007, true, x", {"facts.a": {"$in": [-3, 0.5, 1000.0, "007", True, "x"]}}),
        ("facts.a = 1e999", {"facts.a": "1e999"}),
        ("since=2020-01-31", {"since": {"$gte": FIRST, "$lte": LAST}}),
        ("since=2020-01", {"since": {"$gte": "2020-01-01T00:00:00.000Z", "$lte": LAST}}),
        ("since<=2019-12", {"since": {"$lte": "2019-12-31T23:59:59.999Z"}}),
        ("since>2019", {"since": {"$gt": "2019-12-31T23:59:59.999Z"}}),
        ("since in 2020", {"$or": [{"since": {"$gte": "2020-01-01T00:00:00.000Z", "$lte": YEAR}}]}),
        ("since!='2020-01-31'", {"$nor": [{"since": {"$gte": FIRST, "$lte": LAST}}]}),
        ("since>2020-01-31", {"since": {"$gt": LAST}}),
        ("since>=2020-01-31", {"since": {"$gte": FIRST}}),
        ("since<2020-01-31", {"since": {"$lt": FIRST}}),
        ("since<=2020-01-31", {"since": {"$lte": LAST}}),
        ("since=2020-01-31T12:00+01:00", {"since": "2020-01-31T11:00:00.000Z"}),
        ("since in 2020-01-31", {"$or": [{"since": {"$gte": FIRST, "$lte": LAST}}]}),
        ("days=2020-01-31", {"days": {"$elemMatch": {"$gte": FIRST, "$lte": LAST}}}),
        ("nics.seen=2020-01-31", {"nics": {"$elemMatch": {"seen": {"$gte": FIRST, "$lte": LAST}}}}),
        ("nics.0.seen=2020-01-31", {"nics.0.seen": {"$gte": FIRST, "$lte": LAST}}),
        ("_updated_at < 2020-01-31", {"_sis._updated_at": {"$lt": 1580428800000}}),
        ("_sis._created_at > '2020-01-31 01:00+01:00'", {"_sis._created_at": {"$gt": 1580428800000}}),
        ("_updated_at=2020-01-31", {"_sis._updated_at": {"$gte": 1580428800000, "$lte": 1580515199999}}),
        ("_sis._updated_at > 1580428800000", {"_sis._updated_at": {"$gt": 1580428800000}}),
        ("_sis.owner = web", {"_sis.owner": "web"}),
        ("name is empty", {"name": {"$in": [None, ""]}}),
        ("cpus is  not  empty", {"cpus": {"$nin": [None]}}),
        ("tags is empty", {"tags.0": {"$exists": False}}),
        ("nics is not empty", {"nics.0": {"$exists": True}}),
        ("nics.vlans is empty", {"nics.vlans.0": {"$exists": False}}),
        ("nics.mac is empty", {"$nor": [{"nics": {"$elemMatch": {"mac": {"$nin": [None, ""]}}}}]}),
        ("nics.ip is not empty", {"nics": {"$elemMatch": {"ip.ip_address": {"$nin": [None]}}}}),
        ("ip is not empty", {"ip.ip_address": {"$nin": [None]}}),
        ("nics.0.mac is not empty", {"nics.0.mac": SOME | {"$nin": [""]}}),
        ("nics.0.ip is empty", {"$nor": [{"nics.0.ip.ip_address": SOME}]}),
        ("tags.1 is empty", {"$nor": [{"tags.1": SOME | {"$nin": [""]}}]}),
        ("facts.a is empty", {"$nor": [{"facts.a": SOME | {"$nin": ["", []]}}]}),
        ("os is not empty", {"$or": [{"os.name": {"$nin": [None, ""]}}, {"os.version": {"$nin": [None]}}]}),
        ("rack.site is not empty", {"rack.site": {"$nin": [None]}}),
        ("rack.site is empty", {"$nor": [{"rack.site": {"$nin": [None]}}]}),
        ("rack.power is empty", {"$nor": [{"$or": [{"rack.power.kw": {"$nin": [None]}}]}]}),
        ("not status = live", {"$nor": [{"status": "live"}]}),
        ("status = live and cpus > 1", {"status": "live", "cpus": {"$gt": 1}}),
        ("cpus > 1 and cpus < 8", {"$and": [{"cpus": {"$gt": 1}}, {"cpus": {"$lt": 8}}]}),
        (f"rack.name = x and rack = {ID}", {"$and": [{"rack.name": "x"}, {"rack": ID}]}),
        ("ip=::1/64 and live=1", {"ip.ip_address": "::1", "ip.cidr": 64, "live": True}),
        ("rack.power is empty and live=1", {"$and": [q_of("rack.power is empty"), {"live": True}]}),
        ("live=1 or live=0 and cpus=1", {"$or": [{"live": True}, {"live": False, "cpus": 1}]}),
    ],
)  # fmt: skip
def test_a_filter_as_the_server_takes_it(text, q):
    assert q_of(text) == q


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("statu=live", "schema 'host' has no field 'statu'; did you mean 'status'?"),
        ("rack.nam=x", "schema 'rack' has no field 'nam'; did you mean 'name'?"),
        ("owner=x", "schema 'host' has no field 'owner'; did you mean '_sis.owner'?"),
        ("facts.$where = 1", "'facts.$where': no key is empty or begins with $"),
        ("rack._id = " + ID, "the server never finds 'rack._id': use 'rack'"),
        (
            "services.0.port=80",
            "'services.0.port': through a reference the server finds any member, whatever its number: "
            "use 'services.port'",
        ),
        ("cpus=many", "'cpus': 'many' is not a number"),
        ("cpus=''", "'cpus': a blank is no value; to find rows without one: 'cpus is empty'"),
        ("live=maybe", "'live': 'maybe' is neither true nor false"),
        ("since=yesterday", "'since': 'yesterday' is not an ISO date or time; a day is written 2024-01-31"),
        (
            "_updated_at=today",
            "'_sis._updated_at': 'today' is not an ISO date or time; a day is written 2024-01-31",
        ),
        ("since=2020-02-30", "'since': '2020-02-30' is not an ISO date or time; a day is written 2024-01-31"),
        ("ip=10.0.0", "'ip': '10.0.0' is not an IP address"),
        ("ip=10.0.0.1/33", "'ip': '10.0.0.1/33' is not an IP address"),
        ("ip=10.0.0.1/x", "'ip': '10.0.0.1/x' is not an IP address"),
        (
            "rack=null",
            "'rack': 'null' is not an id of 24 hex digits; to find rows without one: 'rack is empty'",
        ),
        ("rack=''", "'rack': '' is not an id of 24 hex digits; to find rows without one: 'rack is empty'"),
        ("rack=r1", "'rack': 'r1' is not an id of 24 hex digits; by name it is 'rack.name = r1'"),
        ("services!=x", "'services': 'x' is not an id of 24 hex digits"),
        ("ip>::1", f"'ip': IpAddress does not take '>' but =, !=, in, nin, ~, !~, like, not like, {EMPTY}"),
        ("cpus~1", f"'cpus': Number does not take '~' but =, !=, in, nin, >, >=, <, <=, {EMPTY}"),
        ("live>0", f"'live': Boolean does not take '>' but =, !=, in, nin, {EMPTY}"),
        ("os=debian", "'os' has fields of its own: compare one of them, such as os.name, os.version"),
        ("nics=x", f"'nics' has fields of its own: compare one of them, such as {NICS}"),
        ("name~*web", "'name': '*web' is not a regex: nothing to repeat"),
        ("name like '(web'", "'name': '(web' is not a regex: missing ), unterminated subpattern"),
        ("name~[", "'name': '[' is not a regex: unterminated character set"),
    ],
)  # fmt: skip
def test_what_cannot_match_is_named(text, message):
    with pytest.raises(ValueError) as caught:
        q_of(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "pattern", [r"\Qa(b\E", r"\h+", "(?<n>a)", "a++", r"\p{L}", "[[:alpha:]]", r"[\w-a]", "(?i)a"]
)
def test_the_databases_own_regexes_are_left_to_it(pattern):
    assert q_of(f'name ~ "{pattern}"') == {"name": {"$regex": pattern}}


def test_a_schema_alone_knows_its_own_fields():
    assert sp.where(HOST, "status = lvie") == {"status": "lvie"}
    with pytest.raises(ValueError, match="a schema alone does not know 'rack', which it refers to"):
        sp.where(HOST, "rack.name = x")


PATHS = st.sampled_from(
    [*HOST.columns, "rack.name", "services.port", "nics.seen", "facts.a", "_updated_at", "nics.0.ip"]
)
OPERATORS = st.sampled_from(["=", "!=", "<", ">=", "~", "like", " in ", " nin ", " is empty", " not like "])


@given(
    PATHS,
    OPERATORS,
    st.text(max_size=10) | st.sampled_from(["2020-01-31", "9999-12-31", "10.0.0.1/8", "1e99", "/(/i"]),
)
@example("name", "~", "(" * 3000)
@example("cpus", "=", "9" * 400)
def test_any_condition_is_a_query_or_a_value_error(path, operator, value):
    try:
        q_of(f"{path}{operator}{value}")
    except ValueError as error:
        assert type(error) is ValueError
