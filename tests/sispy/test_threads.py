"""One client, many threads, mixed calls: every answer is the one that was asked for."""

import random
import threading

import pytest

import sispy
from sispy.sandbox import Sandbox

SCHEMA = {
    "name": "host",
    "_sis": {"owner": ["ops"]},
    "id_field": "name",
    "definition": {"name": {"type": "String", "required": True, "unique": True}, "n": "Number"},
}


def work(client, number, calls, faults):
    """Keep a row of one's own through many calls; whatever is not as it was left is a fault."""
    host, dice, name = client.entities("host"), random.Random(number), f"t{number}"  # noqa: S311 -- no secret
    try:
        row = host.create({"name": name, "n": 0})
        for step in range(1, calls):
            what = dice.randrange(6)
            if what == 0:
                assert host.update(name, {"n": step})["n"] == step
                row["n"] = step
            elif what == 1:
                assert host.get(name)["n"] == row["n"]
            elif what == 2:
                page = host.fetch_page({"q": {"name": name}})
                assert [item["_id"] for item in page] == [row["_id"]]
            elif what == 3:
                answer = host.update_bulk([{"_id": row["_id"], "n": step}, {"_id": "f" * 24}])
                assert (answer["success"][0]["n"], answer.failed_ids) == (step, ("f" * 24,))
                row["n"] = step
            elif what == 4:
                with pytest.raises(sispy.NotFound, match=f"host nobody-{number} does not exist"):
                    host.get(f"nobody-{number}")
            else:
                assert host.count({"name": name}) == 1
        assert host.get(name)["n"] == row["n"]
    except BaseException as exc:  # noqa: BLE001 -- it belongs into the test's own thread
        faults.append(exc)


@pytest.mark.parametrize("keep_alive", [True, False])
@pytest.mark.parametrize("calls", [30, pytest.param(500, marks=pytest.mark.soak)])
def test_sixteen_threads_share_a_client(http_lib, keep_alive, calls):
    with Sandbox() as sandbox:
        client = sispy.Client(sandbox.url, auth_token=sandbox.token, http_keep_alive=keep_alive, retries=0)
        client.schemas.create(SCHEMA)
        faults = []

        threads = [
            threading.Thread(target=work, args=(client, number, calls, faults)) for number in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert faults == []
        assert client.entities("host").count() == 16
