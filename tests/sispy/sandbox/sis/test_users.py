"""Users and their tokens: passwords, logins, what expires."""

import hashlib
import itertools
import time

import pytest

from sispy import Client, NotFound, Unauthorized
from sispy.sandbox import Sandbox
from sispy.sandbox.sis import tokens
from wire import SCHEMA


def test_tokens_expire(sis_sandbox):
    with Sandbox(token_lifetime=0.05) as sis:
        client = sis.client()
        time.sleep(0.06)
        with pytest.raises(Unauthorized, match="expired"):
            client.schemas.create(SCHEMA)


def test_a_token_without_an_end_does_not_expire_however_slow_the_machine_is(monkeypatch):
    """Time goes on between two looks at the clock."""
    ticks = itertools.count(int(time.time() * 1000), 5)
    with Sandbox(samples=1) as sis:
        token = sis.client("bob").tokens("bob").create({})["name"]
        monkeypatch.setattr(tokens, "now", lambda: next(ticks))
        sis.world.tokens.purge()
        assert sis.world.users.of_token(token)["name"] == "bob"


def test_the_super_users_password_is_that_of_the_sample_users():
    with Sandbox(samples=1) as sis:
        nobody = Client(sis.url)
        assert nobody.authenticate("bob", sis.password)
        assert nobody.authenticate("root", sis.password)
        for name, password in [("bob", "bob"), ("root", "root"), ("root", ""), ("bob", sis.password[:-1])]:
            with pytest.raises(Unauthorized):
                nobody.authenticate(name, password)
        assert len({sis.password, Sandbox().password}) == 2


def test_a_stored_password_of_the_super_user_does_not_stay(tmp_path):
    """Of a sandbox that began with root and root, or of one whose password leaked."""
    with Sandbox(data=tmp_path / "sis.sqlite") as sis:
        user = {"name": "root", "email": "r@example.com", "super_user": True, "roles": {}, "pw": "root"}
        sis.client().users.update("root", user)
        assert Client(sis.url).authenticate("root", "root")
    with Sandbox(data=tmp_path / "sis.sqlite") as sis, pytest.raises(Unauthorized):
        Client(sis.url).authenticate("root", "root")


def test_a_login_takes_as_long_for_users_that_are_none(sis_sandbox, monkeypatch):
    made = []
    stretch = hashlib.scrypt
    monkeypatch.setattr(hashlib, "scrypt", lambda *args, **how: made.append(how) or stretch(*args, **how))
    sis_sandbox.client().users.create(
        {"name": "anna", "email": "a@example.com", "pw": "x", "roles": {"g": "user"}}
    )
    costs = []
    for name in ("anna", "nobody", "root"):
        made.clear()
        with pytest.raises((NotFound, Unauthorized)):
            Client(sis_sandbox.url).authenticate(name, "wrong")
        costs.append([(how["n"], how["r"], how["p"]) for how in made])
    assert costs == [costs[0]] * 3
    assert len(costs[0]) == 1
