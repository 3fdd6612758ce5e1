"""Who may do what, as tables: (user, owners) -> outcome of an update; and what users may do to users."""

import pytest

from sispy.errors import BadRequest, Error, Unauthorized
from sispy.sandbox import Sandbox
from sispy.sandbox.sis.access import Level, level

USERS = {
    "adm1": {"g1": "admin"},
    "usr1": {"g1": "user"},
    "both": {"g1": "admin", "g2": "user"},
    "adm3": {"g3": "admin"},
}


@pytest.fixture(scope="module")
def sis():
    with Sandbox() as sandbox:
        root = sandbox.client()
        for name, roles in USERS.items():
            root.users.create({"name": name, "email": f"{name}@example.com", "pw": name, "roles": roles})
        for name, options in (("row", {}), ("shared", {"is_public": True}), ("open", {"is_open": True})):
            body = {"name": name, "definition": {"n": "Number"}, "_sis": {"owner": ["g1", "g2"]}, **options}
            root.schemas.create(body)
        yield sandbox


@pytest.fixture(scope="module")
def clients(sis):
    return {name: sis.client(name) for name in USERS}


def status(call, *arguments, **options):
    """The status of the answer to a call of a client."""
    try:
        call(*arguments, **options)
    except Error as error:
        return error.http_status_code
    return 200


@pytest.mark.parametrize(
    ("roles", "owners", "expected"),
    [
        ({}, [], Level.ADMIN),
        ({}, ["g1"], Level.NONE),
        ({"g1": "user"}, ["g1"], Level.ALL),
        ({"g1": "admin"}, ["g1"], Level.ADMIN),
        ({"g1": "admin"}, ["g1", "g2"], Level.SOME),
        ({"g1": "admin", "g2": "user"}, ["g1", "g2"], Level.ALL),
        ({"g3": "admin"}, ["g1", "g2"], Level.NONE),
    ],
)
def test_levels(roles, owners, expected):
    assert level({"roles": roles}, owners) is expected
    assert level({"super_user": True}, owners) is Level.ADMIN


@pytest.mark.parametrize(
    ("user", "owner", "options", "expected"),
    [
        ("both", ["g1", "g2"], {}, 200),
        ("adm1", ["g1", "g2"], {}, 401),
        ("usr1", ["g1"], {}, 200),
        ("usr1", ["g1", "g2"], {"any_owner_can_modify": True}, 200),
        ("adm3", ["g1", "g2"], {"any_owner_can_modify": True}, 401),
        ("adm1", ["g2"], {}, 401),
        ("adm1", [], {}, 200),
        ("adm3", [], {}, 401),
    ],
)
def test_updates_of_entities(sis, clients, user, owner, options, expected):
    made = sis.client().entities("row").create({"n": 1, "_sis": {"owner": owner, **options}})
    rows = clients[user].entities("row")
    assert status(rows.update, made["_id"], {"n": 2}) == expected
    assert status(rows.delete, made["_id"]) == expected


def test_an_entity_without_owners_gets_those_of_who_changes_it(sis, clients):
    made = sis.client().entities("row").create({"n": 1})
    changed = clients["adm1"].entities("row").update(made["_id"], {"n": 2})
    assert (changed["_sis"]["owner"], changed["_v"]) == (["g1"], 1)


@pytest.mark.parametrize("schema", ["shared", "open"])
def test_in_public_and_open_schemas_anybody_creates(sis, clients, schema):
    made = clients["adm3"].entities(schema).create({"n": 1})
    assert made["_sis"]["owner"] == ["g3"]
    assert status(clients["adm1"].entities(schema).update, made["_id"], {"n": 2}) == 401
    free = clients["adm3"].entities(schema).create({"n": 1, "_sis": {"owner": []}})
    assert free["_sis"]["owner"] == []
    assert clients["adm1"].entities(schema).update(free["_id"], {"n": 2})["_sis"]["owner"] == []


def test_a_user_without_roles_cannot_write_to_a_public_schema(sis):
    root = sis.client()
    root.users.create({"name": "nobody", "email": "n@example.com", "pw": "nobody", "roles": {"g9": "user"}})
    client = sis.client("nobody")
    root.users.update("nobody", {"name": "nobody", "roles": {}})
    with pytest.raises(BadRequest, match="must have roles"):
        client.entities("shared").create({"n": 1})
    with pytest.raises(Unauthorized, match="Invalid user"):
        sis.client("nobody")


def test_a_schema_that_any_owner_may_change_makes_such_entities(sis, clients):
    root = sis.client()
    body = {"name": "loose", "definition": {"n": "Number"}, "_sis": {"owner": ["g1", "g2"]}}
    root.schemas.create({**body, "any_owner_can_modify": True})
    made = root.entities("loose").create({"n": 1, "_sis": {"owner": ["g1", "g2"]}})
    assert made["_sis"]["any_owner_can_modify"] is True
    assert status(clients["usr1"].entities("loose").update, made["_id"], {"n": 2}) == 200
    changed = {**body, "any_owner_can_modify": True, "definition": {"n": "Number", "m": "Mixed"}}
    assert status(clients["usr1"].schemas.update, "loose", changed) == 401
    assert status(clients["adm1"].schemas.update, "loose", changed) == 200


@pytest.mark.parametrize("kind", ["hiera", "hooks"])
def test_a_plain_role_is_enough_for_hiera_and_hooks(clients, kind):
    body = {"name": f"{kind}_1", "_sis": {"owner": "g1"}}
    if kind == "hiera":
        body["hieradata"] = {"a": 1}
    else:
        body |= {
            "entity_type": "x",
            "target": {"url": "http://127.0.0.1:1", "action": "POST"},
            "events": "insert",
        }
    assert status(getattr(clients["adm3"], kind).create, body) == 401
    made = getattr(clients["usr1"], kind).create(body)
    assert made["_sis"]["owner"] == ["g1"]
    assert status(getattr(clients["adm3"], kind).update, body["name"], body) == 401
    assert status(getattr(clients["adm3"], kind).delete, body["name"]) == 401
    assert status(getattr(clients["usr1"], kind).delete, body["name"]) == 200


def test_what_users_may_do_to_users(sis, clients):
    root, adm1 = sis.client(), clients["adm1"]
    new = {"name": "new", "email": "new@example.com", "pw": "new", "roles": {"g1": "user"}}
    assert status(clients["usr1"].users.create, new) == 401
    assert status(adm1.users.create, {**new, "roles": {"g1": "user", "g2": "user"}}) == 401
    assert status(adm1.users.create, new) == 200
    assert status(adm1.users.update, "new", {"name": "new", "roles": {"g1": "admin"}}) == 200
    assert (
        status(adm1.users.update, "new", {"name": "new", "roles": {"g1": "admin"}, "email": "x@example.com"})
        == 401
    )
    assert (
        status(
            sis.client("new").users.update, "new", {"name": "new", "roles": {"g1": "admin"}, "verified": True}
        )
        == 400
    )
    assert status(adm1.users.delete, "adm1") == 401
    assert status(adm1.users.delete, "root") == 401
    assert status(clients["adm3"].users.delete, "new") == 401
    assert status(adm1.users.delete, "new") == 200
    with pytest.raises(Unauthorized):
        root.users.delete("root")


def test_bulk_operations_work_on_users(sis):
    users = sis.client().users
    made = users.create(
        [{"name": f"u{i}", "email": "u@example.com", "roles": {"g1": "user"}} for i in range(3)]
    )
    assert [user["name"] for user in made["success"]] == ["u0", "u1", "u2"]
    assert all("pw" not in user for user in made["success"])
    done = users.update_bulk([{"name": "u0", "roles": {"g1": "admin"}}, {"name": "none", "roles": {}}])
    assert [user["roles"] for user in done["success"]] == [{"g1": "admin"}]
    assert [error["err"][0] for error in done["errors"]] == [404]
    assert len(users.delete_bulk({"q": {"email": "u@example.com"}})["success"]) == 3


def test_tokens_of_others_are_for_their_admins(sis, clients):
    assert status(clients["usr1"].tokens("adm3").fetch_all, {}) == 401
    assert status(clients["adm1"].tokens("usr1").fetch_all, {}) == 200
    assert status(clients["adm1"].tokens("both").fetch_all, {}) == 401
    made = clients["adm1"].tokens("usr1").create({"desc": "a"})
    assert "expires" not in made
    temporary = next(t for t in sis.client().tokens("usr1").fetch_all({}) if "expires" in t)
    assert status(sis.client().tokens("usr1").delete, temporary["name"]) == 400


def test_passwords_are_never_shown_nor_stored_in_clear(sis):
    users = sis.client().users
    for user in users.fetch_all({"fields": "name,pw"}):
        assert "pw" not in user
    assert all(not str(u.get("pw", "")).startswith(("root", "adm1")) for u in sis.world.users.collection)
