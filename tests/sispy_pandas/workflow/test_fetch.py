"""Fetching from a sandbox over real HTTP."""

import json
import threading

import pandas as pd
import pytest

import sispy
import sispy_pandas as sp
from sispy.sandbox import Faults, Sandbox
from sispy_pandas.reading import pages
from sispy_pandas.values.types.cells import get_path
from sispy_pandas.values.types.equality import equal

HOST = {
    "name": {"type": "String", "required": True, "unique": True},
    "status": {"type": "String", "enum": ["planned", "live", "retired"]},
    "cpus": "Number",
    "load": "Number",
    "spare": "Boolean",
    "since": "Date",
    "os": {"name": "String", "version": "Number"},
    "rack": {"type": "ObjectId", "ref": "rack"},
    "ip": "IpAddress",
    "tags": ["String"],
    "nics": [{"mac": "String"}],
    "facts": "Mixed",
}
RACK = {"name": {"type": "String", "required": True, "unique": True}}


@pytest.fixture(scope="module")
def sis():
    with Sandbox() as sis:
        yield sis


@pytest.fixture(scope="module")
def client(sis):
    return sis.client()


def make(client, name, definition):
    client.schemas.create({"name": name, "definition": definition, "_sis": {"owner": ["ops"]}})
    return client.entities(name)


@pytest.fixture(scope="module")
def hosts(client):
    racks = make(client, "rack", RACK)
    rack = racks.create({"name": "r1"})["_id"]
    hosts = make(client, "host", HOST)
    hosts.create(
        [
            {
                "name": f"web{i}",
                "status": ["planned", "live", None][i % 3],
                "cpus": i if i % 4 else None,
                "load": i / 2,
                "since": "2020-01-02T03:04:05.678Z",
                "os": {"name": "rhel", "version": i % 2} if i % 5 else None,
                "rack": rack,
                "ip": f"10.0.0.{i}/24",
                "tags": ["a"] * (i % 3),
                "nics": [{"mac": f"m{i}"}],
                "facts": {"deep": [{"i": i}]},
            }
            for i in range(25)
            if i % 3 != 2
        ]
    )
    hosts.create([{"name": f"web{i}"} for i in range(25) if i % 3 == 2])
    return hosts


@pytest.fixture
def small_pages(monkeypatch):
    """Pages of 4 rows instead of 10,000."""
    monkeypatch.setattr(pages, "MAX_PAGE", 4)


def fetched(hosts, *args, **options):
    return sp.fetch(hosts, *args, progress=False, **options)


def test_the_frame_is_that_of_the_schema(hosts):
    snapshot = fetched(hosts)
    frame = snapshot.frame()
    assert list(frame.columns) == [*snapshot.schema.columns, "_updated_at"]
    assert frame.index.name == "_id"
    assert frame.dtypes.astype(str).to_dict() == {
        "name": "str", "status": "category", "cpus": "Int64", "load": "Float64", "spare": "boolean",
        "since": "datetime64[ms, UTC]", "os.name": "str", "os.version": "Int64", "rack": "str", "ip": "str",
        "tags": "object", "nics": "object", "facts": "object", "_updated_at": "datetime64[ms, UTC]",
    }  # fmt: skip
    row = frame.set_index("name").loc["web4"]
    assert (row["ip"], row["tags"], row["os.version"]) == ("10.0.0.4/24", ("a",), 0)
    assert (row["nics"][0]["mac"], row["facts"]) == ("m4", {"deep": ({"i": 4},)})
    assert row["since"] == pd.Timestamp("2020-01-02T03:04:05.678Z")
    assert (len(snapshot), len(snapshot.warnings)) == (25, 0)


def test_the_records_come_back(hosts):
    snapshot = fetched(hosts)
    stored = {r["_id"]: r for r in hosts.fetch_all({"populate": False})}
    for record in snapshot.records():
        assert record["_sis"]["_updated_at"] == stored[record["_id"]]["_sis"]["_updated_at"]
        assert record["_sis"]["owner"] == stored[record["_id"]]["_sis"]["owner"]
        for field in snapshot.schema.fields:
            pair = (get_path(r, field.path) for r in (record, stored[record["_id"]]))
            assert equal(field, *pair)


@pytest.mark.parametrize("lib", ["requests", "stdlib"])
def test_pages_by_key_in_two_ranges_are_complete_and_in_order(hosts, small_pages, monkeypatch, sis, lib):
    monkeypatch.setattr(sispy.http, "HTTP_LIB", lib)
    own = sispy.Client(sis.url)
    before = threading.active_count()
    frame = fetched(own.entities("host")).frame()
    own.close()
    assert frame.index.tolist() == sorted(r["_id"] for r in hosts.fetch_all())
    assert threading.active_count() == before


def test_meta_adds_the_columns_of_sis(hosts):
    frame = fetched(hosts).frame(meta=True)
    assert list(frame.columns)[-9:] == [
        "_sis._created_at", "_sis._created_by", "_sis._updated_by", "_sis.owner", "_sis.tags", "_sis.locked",
        "_sis.immutable", "_sis.any_owner_can_modify", "_updated_at",
    ]  # fmt: skip
    assert frame["_sis._created_by"].unique().tolist() == ["root"]


def test_fields_cut_columns_and_bytes(sis, hosts):
    snapshot = fetched(hosts, fields=["os", "name", "_sis.owner"])
    assert list(snapshot.frame().columns) == ["name", "os.name", "os.version", "_sis.owner", "_updated_at"]
    assert sis.requests[-1].query["fields"] == "_sis._updated_at,_sis.owner,name,os.name,os.version"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": {"cpus": {"$gte": 21}}}, ["web21", "web22"]),
        ({"q": {"rack.name": "r1", "load": {"$lt": 1}}}, ["web0", "web1"]),
        ({"q": {"name": {"$in": ["web3", "nobody"]}}, "limit": 5}, ["web3"]),
        ({"sort": "-load,name", "limit": 3}, ["web24", "web22", "web21"]),
        ({"sort": "-load", "offset": 14, "limit": 3}, ["web3", "web1", "web0"]),
        ({"q": {"load": {"$lt": 2.5}}, "sort": "-status,-load"}, ["web3", "web0", "web4", "web1"]),
    ],
)
def test_a_query_selects_and_orders(hosts, small_pages, query, names):
    assert fetched(hosts, query).frame()["name"].tolist() == names


@pytest.mark.parametrize(
    "sort", ["status,-name", "-cpus,name", "since,-load,name", "os.version,-_id", "-_id"]
)
def test_a_sort_made_here_is_that_of_the_server(hosts, small_pages, sort):
    own = fetched(hosts, {"sort": sort}).frame().index.tolist()
    assert own == [r["_id"] for r in hosts.fetch_page({"sort": f"{sort},_id" if "_id" not in sort else sort})]


def test_limit_without_sort_is_cut_by_key(hosts, small_pages):
    assert len(fetched(hosts, {"limit": 10})) == 10
    assert len(fetched(hosts, {"limit": 100})) == 25


def test_an_empty_answer_has_all_columns_and_dtypes(hosts):
    empty = fetched(hosts, {"q": {"name": "nobody"}})
    assert len(empty) == 0
    assert empty.frame().dtypes.drop("load").equals(fetched(hosts).frame().dtypes.drop("load"))


def test_a_frame_is_the_callers_own(hosts):
    snapshot = fetched(hosts)
    frame = snapshot.frame()
    frame.loc[frame.index[0], "name"] = "changed"
    assert "changed" not in snapshot.frame()["name"].tolist()
    with pytest.raises(TypeError, match="read-only"):
        frame["facts"].dropna().iloc[0]["deep"][0]["i"] = 5


def test_the_query_of_the_caller_stays_as_it_is(hosts):
    query = {"q": {"load": {"$lt": 3}}, "limit": 2}
    fetched(hosts, query)
    assert query == {"q": {"load": {"$lt": 3}}, "limit": 2}


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        (lambda c: c.entities("hots"), "the server has no schema 'hots'; did you mean 'host'?"),
        (lambda c: c.users, "a frame holds entities, .* 'users' has no definition"),
    ],
)
def test_what_has_no_schema_is_a_clear_error(client, hosts, endpoint, message):
    with pytest.raises(ValueError, match=message):
        fetched(endpoint(client))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda c: fetched(c), r"entities, such as client.entities\('host'\), got Client"),
        (lambda c: fetched("host"), "entities, such as .*, got str"),
        (lambda c: fetched(c.entities("host"), ["name=x"]), r"a query is a text such as .*, got list"),
    ],
)
def test_what_is_no_endpoint_and_no_query_is_a_clear_error(client, hosts, ask, message):
    with pytest.raises(TypeError, match=message):
        ask(client)


def test_an_unknown_word_for_references_is_a_clear_error(hosts):
    with pytest.raises(ValueError, match="refs='labels': 'id', 'label' or a dict of column -> field"):
        fetched(hosts, refs="labels")


def test_values_that_contradict_the_schema_are_kept_and_named(client):
    things = make(client, "thing", {"name": "String", "n": "String", "e": "String"})
    ids = [things.create({"name": "a", "n": n, "e": e})["_id"] for n, e in (("x", "old"), ("5", "new"))]
    definition = {"name": "String", "n": "Number", "e": {"type": "String", "enum": ["new"]}}
    client.schemas.update("thing", {"name": "thing", "_sis": {"owner": ["ops"]}, "definition": definition})
    snapshot = fetched(things)
    frame = snapshot.frame()
    assert (frame["n"].dtype, frame["n"].tolist()) == (object, ["x", "5"])
    assert frame["e"].cat.categories.tolist() == ["new", "old"]
    assert frame["name"].dtype == "str"
    assert snapshot.warnings.values.tolist() == [
        [ids[0], "n", "x", "its type is not Number"],
        [ids[1], "n", "5", "its type is not Number"],
        [ids[0], "e", "old", "not among the values of the enum"],
    ]
    assert repr(snapshot).endswith("3 warnings>")


def test_whole_numbers_beyond_all_doubles_are_kept_and_named(hosts, monkeypatch):
    row = {"_id": "1" * 24, "name": "a", "load": 10**400, "_sis": {"_updated_at": 10**400}}
    pages_of(hosts, monkeypatch, [row], [])

    snapshot = fetched(hosts)

    assert snapshot.frame()["load"].tolist() == [10**400]
    assert [(path, reason) for _, path, _, reason in snapshot.warnings.values.tolist()][:2] == [
        ("load", "its type is not Number"),
        ("_updated_at", "its type is not Date"),
    ]


def test_a_type_that_is_not_known_is_read_as_it_is_and_named(client):
    odd = make(client, "odd", {"name": "String", "l": ["Nope"]})
    odd.create({"name": "a", "l": [{"x": [1]}, 5]})
    snapshot = fetched(odd)
    assert snapshot.frame()["l"].tolist() == [({"x": (1,)}, 5)]
    assert snapshot.warnings.values.tolist() == [
        [None, "l", "Nope", "a type not known here: cells are as stored"]
    ]


def test_rows_that_existed_throughout_are_there_once_while_others_come_and_go(client, small_pages):
    churn = make(client, "churn", {"name": "String"})
    kept = {r["_id"] for r in churn.create([{"name": "k"} for _ in range(24)])["success"]}
    gone = [r["_id"] for r in churn.create([{"name": "g"} for _ in range(20)])["success"]]
    stop = threading.Event()

    def others():
        while not stop.is_set() and gone:
            churn.delete(gone.pop(len(gone) // 2))
            churn.create({"name": "n"})

    thread = threading.Thread(target=others)
    thread.start()
    try:
        for _ in range(3):
            ids = fetched(churn).ids
            assert ids.is_unique
            assert kept <= set(ids)
    finally:
        stop.set()
        thread.join()


def test_an_error_of_a_later_page_reaches_the_caller_and_ends_the_threads(sis, hosts, small_pages):
    def fail(seen):
        if "$gt" in str(seen.query.get("q")):
            raise RuntimeError

    sis.faults = Faults(before=fail)
    try:
        with pytest.raises(sispy.ServerError):
            fetched(hosts)
    finally:
        sis.faults = Faults()
    assert {t.name for t in threading.enumerate() if t.name.startswith("sispy-page")} == set()


def test_progress_knows_the_total(hosts, small_pages):
    seen = []
    sp.fetch(hosts, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (25, 25)
    assert all(total == 25 for _, total in seen)


def pages_of(endpoint, monkeypatch, *answers):
    """Let an endpoint answer with these lists of rows, one after the other."""
    pages = [sispy.RawPage(json.dumps(rows).encode(), sispy.response.Headers(), 4) for rows in answers]
    monkeypatch.setattr(endpoint, "raw_page", lambda query: pages.pop(0))
    monkeypatch.setattr(endpoint, "count", lambda q: 4)


def rows_of(*numbers):
    return [{"_id": f"{n:024x}", "name": f"n{n}", "_sis": {"_updated_at": 1}} for n in numbers]


def test_a_row_that_comes_twice_is_one_clear_sentence(hosts, monkeypatch):
    pages_of(hosts, monkeypatch, rows_of(1, 2, 2, 3))

    with pytest.raises(sispy.BadAnswer) as caught:
        fetched(hosts)
    assert caught.value.error == (
        "the server sent 1 rows more than once, such as the one of _id 000000000000000000000002"
    )


def test_a_row_that_comes_twice_because_the_list_shifted_is_kept_once_and_named(
    hosts, small_pages, monkeypatch
):
    monkeypatch.setattr(pages, "MAX_PAGE", 2)
    pages_of(hosts, monkeypatch, rows_of(3, 1), rows_of(1, 2))

    snapshot = fetched(hosts, {"sort": "-name", "limit": 4})

    assert snapshot.frame()["name"].tolist() == ["n3", "n2", "n1"]
    assert snapshot.warnings.values.tolist() == [
        [f"{1:024x}", None, None, "it came more than once while the list shifted"]
    ]


@pytest.mark.parametrize("query", [{}, {"sort": "-name", "limit": 8}])
def test_a_server_that_repeats_a_page_is_left(hosts, small_pages, monkeypatch, query):
    answer = sispy.RawPage(json.dumps(rows_of(1, 2, 3, 4)).encode(), sispy.response.Headers(), 100)
    monkeypatch.setattr(hosts, "raw_page", lambda query: answer)

    with pytest.raises(sispy.BadAnswer, match=r"the server (repeats rows|sent the rows at offset 0 again)"):
        fetched(hosts, query)
