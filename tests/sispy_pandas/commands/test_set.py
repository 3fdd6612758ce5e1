import json

import pytest

WEB = "name=web-fra1-001"


@pytest.fixture
def host(sis):
    """Read a field of the host web-fra1-001."""
    return lambda field: sis.client().entities("host").get("web-fra1-001", {"populate": False})[field]


def done(sispy, *settings, filters=(WEB,), rows=1):
    result = sispy(
        "set", "host", *filters, *(f"--to={s}" for s in settings), "--yes", "--expect-updates", rows
    )
    assert result.exit_code == 0, result.stderr
    return result


@pytest.mark.parametrize(
    ("setting", "field", "value"),
    [
        ("status=retired", "status", "retired"),
        ("position=7", "position", 7),
        ("virtual=true", "virtual", True),
        ("bought=2024-01-31", "bought", "2024-01-31T00:00:00.000Z"),
        ("notes= two words = one ", "notes", " two words = one "),
        ("notes==1+1", "notes", "=1+1"),
        ("notes='", "notes", "'"),
        ("serial=", "serial", None),
        ('labels=["a", "b"]', "labels", ["a", "b"]),
        ("labels=", "labels", []),
        ("labels+=new", "labels", ["new"]),
        ("labels-=new", "labels", []),
    ],
)
def test_a_value_is_set_and_undone(sispy, host, setting, field, value):
    before = host(field) if field != "notes" else None
    nothing = value == before

    result = done(sispy, setting, rows=0 if nothing else 1)

    assert host(field) == value
    if not nothing:
        (name,) = [word for word in result.stderr.split() if len(word.strip("`")) == 6 and word[-1] == "`"]
        assert sispy("undo", name.strip("`"), "--yes").exit_code == 0
        assert (host(field) if field != "notes" else None) == before


def test_references_are_set_by_name(sispy, sis, host):
    ids = {
        row["name"]: row["_id"]
        for name in ("rack", "service")
        for row in sis.client().entities(name).fetch_all()
    }

    done(sispy, "rack=ams1-r01", "services+=search")
    done(sispy, "services-=shop", "services+=search")

    assert host("rack") == ids["ams1-r01"]
    assert host("services") == [ids["checkout"], ids["search"]]


def test_references_are_shown_by_name_when_they_are_set_and_put_back(sispy, host):
    was = sispy("show", "host", "web-fra1-001", "--output", "json").stdout
    done(sispy, "rack=ams1-r01")

    undone = sispy("undo", "--yes").stdout.splitlines()

    assert undone[3].split() == ["~", "web-fra1-001", "rack", "ams1-r01", "fra1-r01"], was


def test_several_rows_and_fields_at_once(sispy, sis):
    done(sispy, "os.version=10", "labels+=moved", filters=("os.name=rhel", "os.version=9"), rows=7)

    rows = sis.client().entities("host").fetch_all({"q": {"os.version": "10"}})
    assert [row["labels"][-1] for row in rows] == ["moved"] * 7


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--to", "status=live"], "no FILTER chooses rows: --all-rows means all"),
        ([WEB, "--all-rows", "--to", "status=live"], "--all-rows means all, and FILTERs choose some"),
        ([WEB, "--to", "status=live", "--yes"], "--expect-updates N says how many rows shall change"),
        ([WEB, "--to", "status"], "'status' is not of the form FIELD=VALUE"),
        ([WEB, "--to", "stats=live"], "did you mean 'status'"),
        ([WEB, "--to", "price=cheap"], "price: 'cheap' is not a number"),
        ([WEB, "--to", "rack=none"], "rack: no row of rack has name 'none'"),
        ([WEB, "--to", "services+=none"], "services: no row of service has name 'none'"),
        ([WEB, "--to", "status+=x"], "status is not an array of values: += adds or removes a member of one"),
        ([WEB, "--to", "labels+="], "labels+= names no member"),
        ([WEB, "--to", "_sis._created_by=me"], "is written by the server alone"),
        ([WEB, "--to", "status=live", "--to", "status=live"], "status is set twice"),
        ([WEB], "Missing option '--to'"),
        (["nme=x", "--to", "status=live"], "no field 'nme'"),
    ],
)
def test_wrong_use_ends_with_64(sispy, args, said):
    result = sispy("set", "host", *args)

    assert (result.exit_code, result.stdout) == (64, "")
    assert said in result.stderr


def test_another_number_of_rows_than_expected_is_not_pushed(sispy, host):
    result = sispy("set", "host", "os.name=rhel", "--to=os.version=1", "--yes", "--expect-updates=3", "-q")

    assert result.exit_code == 3
    assert "nothing was pushed: the plan has 20 updates, and --expect-updates says 3" in result.stderr
    assert host("os")["version"] == "8"


def test_all_rows_are_meant_explicitly(sispy, sis):
    result = sispy("set", "rack", "--all-rows", "--to", "row=Z", "--yes", "--expect-updates", "2")

    assert result.exit_code == 0
    assert [row["row"] for row in sis.client().entities("rack").fetch_all()] == ["Z", "Z"]


def test_a_value_that_the_server_would_refuse_is_a_problem(sispy):
    result = sispy("set", "host", WEB, "--to", "status=lvie", "--output", "json")

    assert result.exit_code == 3
    assert [p["value"] for p in json.loads(result.stdout)["plan"]["problems"]] == ["lvie"]


def test_a_person_is_asked(terminal, screen, host):
    status, lines = screen(terminal("set", "host", WEB, "--to", "status=retired"), answer="n")

    assert (status, host("status")) == (130, "live")
    assert lines[-1] == "Push 1 row to host on http://127.0.0.1:NNNNN? [y/N]: n"
    assert screen(terminal("set", "host", WEB, "--to", "status=retired"))[0] == 0
    assert host("status") == "retired"


def test_a_rate_makes_requests_no_larger_than_the_rows_of_a_second(sispy, sis):
    since = len(sis.requests)
    slow = ("--to=notes=slow", "--yes")
    names = [f"name=web-fra1-00{n}" for n in (1, 2, 3)]

    result = sispy("set", "host", " or ".join(names), *slow, "--expect-updates", 3, "--rate", 2)
    refused = sispy("set", "host", WEB, *slow, "--rate", 0)

    assert (result.exit_code, refused.exit_code) == (0, 64), result.stderr
    writes = [json.loads(seen.body) for seen in sis.requests[since:] if seen.method == "PUT"]
    assert list(map(len, writes)) == [2, 1]
