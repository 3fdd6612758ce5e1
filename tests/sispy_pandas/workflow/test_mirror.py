"""A mirror is what a fetch gives, whatever happened between its runs, and whoever reads or dies meanwhile."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from itertools import count

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sispy
import sispy_pandas as sp
from sispy.sandbox import Sandbox
from sispy.sandbox.js import scalars
from sispy.sandbox.sis import writes

pytest.importorskip("pyarrow", reason="pyarrow is not installed")
from sispy_pandas.formats import generations
from sispy_pandas.values.source import source_of
from sispy_pandas.workflow import catching_up

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "status": {"type": "String", "enum": ["live", "dead"]},
    "cpus": "Number",
    "since": "Date",
    "tags": ["String"],
    "facts": "Mixed",
    "disks": [{"dev": "String", "gb": "Number"}],
    "os": {"name": "String", "version": "Number"},
    "ip": "IpAddress",
    "rack": {"type": "ObjectId", "ref": "rack"},
}
SCHEMA = {"name": "host", "definition": DEFINITION, "_sis": {"owner": ["ops"]}}


def entity(n):
    found = {
        "name": f"h{n:04}",
        "status": ["live", "dead", None][n % 3],
        "cpus": n if n % 5 else 1.5,
        "since": "2020-01-02T00:00:00.000Z",
        "tags": ["x"] * (n % 3),
        "facts": {"n": n, "in": [1, {"a": None}]} if n % 2 else "text",
        "disks": [{"dev": "sda", "gb": n}] if n % 2 else [],
        "os": {"name": "rhel", "version": n % 4},
        "ip": f"10.0.0.{n % 250}/24",
    }
    return {key: value for key, value in found.items() if value is not None}


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Files and slices of a few rows, and no overlap: what is read again would hide what is missed."""
    monkeypatch.setattr(generations, "ROWS", 20)
    monkeypatch.setattr(catching_up, "SLICE", 4)
    monkeypatch.setattr(catching_up, "OVERLAP", 1)


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def hosts(sandbox):
    """A hundred new hosts."""
    client = sandbox.client()
    client.schemas.create(SCHEMA)
    assert client.entities("host").create([entity(n) for n in range(100)])["errors"] == []
    time.sleep(0.005)  # what is written from now on has a later time
    yield client.entities("host")
    client.schemas.delete("host")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mirrors" / "host"


def run(hosts, folder, *args, **options):
    return sp.mirror(hosts, folder, *args, progress=False, **options)


def fetched(hosts, query=None, **options):
    return sp.fetch(hosts, query, progress=False, **options).frame()


def files(folder):
    return {path.name: path.stat().st_ino for path in folder.iterdir()}


def counts(report):
    return report.added, report.changed, report.deleted


def test_the_first_run_fetches_all_and_the_next_nothing(hosts, folder):
    first = run(hosts, folder)

    pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))
    source = source_of(sp.read_mirror(folder))
    assert source is not None
    assert not source.accept_program_changes
    assert repr(first) == f"host in {folder}: 100 rows, all fetched (the first run)"
    assert (first.rows, first.fetched, counts(first), first.parts, first.written) == (
        100,
        100,
        (None,) * 3,
        5,
        5,
    )
    before = files(folder)

    second = run(hosts, folder)

    assert (second.rows, counts(second), second.written, second.why) == (100, (0, 0, 0), 0, None)
    assert (second.path, files(folder)) == (first.path, before)
    assert second.bytes < first.bytes


def test_what_was_written_is_fetched_and_only_files_with_it_are_new(sandbox, hosts, folder):
    run(hosts, folder)
    before, ids = files(folder), fetched(hosts).index
    hosts.update(ids[3], {"cpus": 77, "status": "dead"})
    hosts.update(ids[4], {"cpus": None, "_sis": {"tags": ["x"]}})
    for id_ in (ids[50], ids[41]):
        hosts.delete(id_)
    for n in (100, 101):
        hosts.create(entity(n))
    since = len(sandbox.requests)

    report = run(hosts, folder)

    pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))
    told = f"2 added, 2 changed, 2 deleted ({report.fetched} fetched)"
    assert repr(report) == f"host in {folder}: 100 rows, {told}"
    assert 4 <= report.fetched < 50
    assert (report.written, report.parts) == (3, 6)
    kept = files(folder).items() & before.items()
    assert len(kept) == 3
    asked = [seen.query for seen in sandbox.requests[since:] if seen.query.get("fields") == "_id"]
    assert (
        sum("limit" in query and query["limit"] == "10000" for query in asked) == 2
    )  # the slices that differ


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # dask's own
def test_all_tools_read_the_folder(hosts, folder):
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    dask = pytest.importorskip("dask.dataframe")
    run(hosts, folder)
    hosts.delete(fetched(hosts).index[0])
    run(hosts, folder)
    names = fetched(hosts)["name"].tolist()

    assert pd.read_parquet(folder)["name"].tolist() == names
    assert polars.read_parquet(folder)["name"].to_list() == names
    assert duckdb.read_parquet(f"{folder}/*.parquet").order("_id").df()["name"].tolist() == names
    assert duckdb.read_parquet(str(folder)).order("_id").df()["name"].tolist() == names
    assert dask.read_parquet(folder)["name"].compute(scheduler="synchronous").tolist() == names


@pytest.mark.parametrize("n", [0, 1, 19, 20, 21, 40, 59])
def test_any_number_of_rows_comes_and_goes(hosts, folder, n):
    hosts.delete_bulk({"q": {"name": {"$gte": f"h{n:04}"}}})
    run(hosts, folder)
    pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))
    assert len(pd.read_parquet(folder)) == n

    hosts.create([entity(m) for m in range(n, 2 * n + 3)])
    report = run(hosts, folder)
    pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))
    assert counts(report) == (n + 3, 0, 0)

    hosts.delete_bulk({"q": {"name": {"$exists": True}}})
    report = run(hosts, folder)
    pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))
    assert counts(report) == (0, 0, 2 * n + 3)
    assert counts(run(hosts, folder)) == (0, 0, 0)


def test_files_of_few_rows_are_joined_by_what_follows(hosts, folder):
    run(hosts, folder)
    for n in range(100, 135, 7):
        hosts.create([entity(m) for m in range(n, n + 7)])
        report = run(hosts, folder)
    assert [part.rows for part in generations.Store.of(folder).present().parts] == [20] * 5 + [14, 14, 7]
    assert report.written == 1


def test_a_changed_definition_fetches_all(hosts, folder):
    run(hosts, folder)
    schema = hosts.client.schemas.get("host").to_dict()
    schema["definition"].pop("cpus")
    hosts.client.schemas.update("host", schema)

    report = run(hosts, folder)

    pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))
    assert "cpus" not in pd.read_parquet(folder)
    assert (report.why, report.fetched) == ("the definition was written since", 100)
    assert run(hosts, folder).why is None


def test_a_definition_that_was_changed_and_changed_back_fetches_all(hosts, folder):
    run(hosts, folder)
    schema = hosts.client.schemas.get("host").to_dict()
    without = {key: value for key, value in schema["definition"].items() if key != "cpus"}
    hosts.client.schemas.update("host", {**schema, "definition": without})
    hosts.client.schemas.update("host", schema)

    run(hosts, folder)

    assert sp.read_mirror(folder)["cpus"].isna().all()
    pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))


def test_a_server_that_was_put_back_is_read_anew(sandbox, folder, tmp_path):
    with Sandbox(data=tmp_path / "old.sqlite") as one:
        one.client().schemas.create(SCHEMA)
        one.client().entities("host").create([entity(n) for n in range(30)])
        port = one.port
    kept = (tmp_path / "old.sqlite").read_bytes()
    with Sandbox(data=tmp_path / "old.sqlite", port=port) as one:
        hosts = one.client().entities("host")
        hosts.update_bulk({"cpus": 5}, {"q": {"name": {"$exists": True}}})
        run(hosts, folder)
        assert sp.read_mirror(folder)["cpus"].eq(5).all()
    (tmp_path / "old.sqlite").write_bytes(kept)
    with Sandbox(data=tmp_path / "old.sqlite", port=port) as one:
        hosts = one.client().entities("host")

        report = run(hosts, folder)

        assert report.why == "the server has older rows than it had"
        pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))


def test_a_clock_that_was_ahead_hides_no_later_write(hosts, folder, monkeypatch):
    real = catching_up.Run._times

    def ahead(self, query):
        return {id_: written + 10**9 for id_, written in real(self, query).items()}

    monkeypatch.setattr(catching_up.Run, "_times", ahead)
    run(hosts, folder)
    time.sleep(0.005)
    hosts.update(fetched(hosts).index[0], {"cpus": 99})

    assert run(hosts, folder).changed == 1


def test_two_writes_in_one_millisecond_are_both_read(hosts, folder, monkeypatch):
    """The receipt alone does not tell that the row of the overlap is another one."""
    run(hosts, folder)
    id_ = fetched(hosts).index[0]
    hosts.update(id_, {"cpus": 98})
    run(hosts, folder)
    stored = hosts.get(id_)["_sis"]["_updated_at"]
    with monkeypatch.context() as patched:
        patched.setattr(writes, "later", lambda *_: stored)
        hosts.update(id_, {"cpus": 99})
    assert hosts.get(id_)["_sis"]["_updated_at"] == stored

    run(hosts, folder)

    assert sp.read_mirror(folder).loc[id_, "cpus"] == 99


def test_a_filter_and_fields_are_remembered(hosts, folder):
    run(hosts, folder, "status = live and cpus > 3", fields=["name", "os"])
    assert list(pd.read_parquet(folder)) == ["_id", "name", "os.name", "os.version", "_updated_at"]
    ids = fetched(hosts).index
    hosts.update(ids[6], {"status": "dead"})
    hosts.update(ids[7], {"status": "live"})
    hosts.delete(ids[9])

    report = run(hosts, folder)

    assert counts(report) == (1, 0, 2)
    expected = fetched(hosts, "status = live and cpus > 3", fields=["name", "os"])
    pd.testing.assert_frame_equal(sp.read_mirror(folder), expected)
    with pytest.raises(ValueError, match=r"was made with another filter: .*full=True makes it anew"):
        run(hosts, folder, "status = dead")
    with pytest.raises(ValueError, match=r'was made with other fields: \["name", "os"\]'):
        run(hosts, folder, fields=["name"])
    with pytest.raises(ValueError, match="was made with another choice of meta: false"):
        run(hosts, folder, meta=True)
    assert run(hosts, folder, full=True).rows == len(expected)
    assert run(hosts, folder, where={}, fields=["cpus", "_sis.owner"], full=True).rows == 99
    assert list(sp.read_mirror(folder)) == ["cpus", "_sis.owner", "_updated_at"]


def test_a_filter_that_a_changed_definition_gives_another_meaning_is_told_so(hosts, folder):
    run(hosts, folder, "cpus < 5")
    schema = hosts.client.schemas.get("host").to_dict()
    schema["definition"]["cpus"] = "String"
    hosts.client.schemas.update("host", schema)
    said = (
        f"{folder} was made before the definition changed: its filter was "
        """{"cpus": {"$lt": 5}}, and is {"cpus": {"$lt": "5"}} now; full=True makes it anew"""
    )

    for query in (None, "cpus < 5"):
        with pytest.raises(ValueError) as refused:
            run(hosts, folder, query)
        assert str(refused.value) == said
    del schema["definition"]["cpus"]
    hosts.client.schemas.update("host", schema)
    with pytest.raises(ValueError) as refused:
        run(hosts, folder)
    assert str(refused.value) == (
        f"""{folder} was made with the filter {{"cpus": {{"$lt": 5}}}}, and now: """
        "schema 'host' has no field 'cpus'; full=True makes it anew, with others that are given"
    )
    assert run(hosts, folder, "status = live", full=True).rows == 34


def test_the_folder_one_is_in_becomes_no_link(hosts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ValueError) as refused:
        run(hosts, ".")
    assert str(refused.value) == f"{tmp_path} is the folder you are in: name one that does not exist yet"
    assert (tmp_path.is_symlink(), list(tmp_path.iterdir())) == (False, [])


def test_a_file_that_is_missing_is_named_and_fetched_anew(hosts, folder):
    run(hosts, folder)
    lost = sorted(folder.iterdir())[1]
    lost.unlink()

    with pytest.raises(ValueError) as refused:
        sp.read_mirror(folder)
    assert str(refused.value) == (
        f"{folder} was damaged: its file {lost.name} is missing; the next run of sp.mirror makes it anew"
    )
    run(hosts, folder)
    pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))


def test_what_is_asked_of_other_tables_is_refused(sandbox, hosts, folder):
    sandbox.client().schemas.create(
        {"name": "rack", "definition": {"name": "String"}, "_sis": {"owner": ["ops"]}}
    )
    with pytest.raises(ValueError, match=r"'rack\.name' is in another table: what is written there"):
        run(hosts, folder, "cpus > 3 and not (rack.name = r1 or status = live)")
    with pytest.raises(ValueError, match="schema 'host' has no field 'sort'"):
        run(hosts, folder, where={"sort": "name"})
    with pytest.raises(ValueError, match="no field 'nmae'"):
        run(hosts, folder, fields=["nmae"])
    assert not folder.exists()
    sandbox.client().schemas.delete("rack")


def test_other_tables_servers_and_folders_are_refused(hosts, folder, tmp_path):
    run(hosts, folder)
    with Sandbox() as other:
        other.client().schemas.create(SCHEMA)
        with pytest.raises(ValueError, match=f"is a mirror of server {hosts.client.url}, not of http"):
            run(other.client().entities("host"), folder)
        with pytest.raises(ValueError, match="is a mirror of server"):
            run(other.client().entities("host"), folder, full=True)
    with pytest.raises(ValueError, match="is a mirror of table host, not of rack"):
        run(hosts.client.entities("rack"), folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x.csv").touch()
    (tmp_path / "link").symlink_to("mine")
    for name in ("mine", "link", "mine/x.csv"):
        with pytest.raises(ValueError, match="is not a mirror: name a folder that does not exist yet"):
            run(hosts, tmp_path / name)
    with pytest.raises(ValueError, match="has no name"):
        run(hosts, "/")
    with pytest.raises(ValueError, match="is within a mirror, which holds its own files alone"):
        run(hosts, folder / "other")
    with pytest.raises(ValueError, match=r"nowhere is not a mirror: sp\.mirror makes one"):
        sp.read_mirror(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="the server has no schema 'hots'"):
        run(hosts.client.entities("hots"), tmp_path / "hots")
    (tmp_path / "empty").mkdir()
    assert run(hosts, tmp_path / "empty").rows == 100


def test_damage_is_named_or_mended(hosts, folder):
    run(hosts, folder)
    next(iter(folder.iterdir())).unlink()
    assert run(hosts, folder).why == "files were missing or damaged"
    next(iter(folder.iterdir())).write_bytes(b"no Parquet")
    assert run(hosts, folder).why == "files were missing or damaged"
    pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))

    described = folder.parent / ".host.mirror" / f"{folder.readlink().name}.json"
    whole = described.read_text()
    described.write_text(whole[:50])
    with pytest.raises(ValueError, match=r"\.json was damaged .*: without .*host the mirror begins anew"):
        run(hosts, folder)
    described.write_text(json.dumps(json.loads(whole) | {"format": 99}))
    with pytest.raises(ValueError, match="has format 99: a later sispy wrote it"):
        sp.read_mirror(folder)
    described.unlink()
    with pytest.raises(ValueError, match=r"\.json was damaged .*: without .*host the mirror begins anew"):
        run(hosts, folder)
    folder.unlink()
    assert run(hosts, folder).why == "the first run"
    pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))


def test_a_value_of_another_type_leaves_the_mirror_as_it_was(hosts, folder):
    run(hosts, folder)
    before = files(folder)
    schema = hosts.client.schemas.get("host").to_dict()
    hosts.client.schemas.update("host", {**schema, "definition": {**schema["definition"], "ip": "Number"}})

    with pytest.raises(
        ValueError, match=r"'ip' holds values that are not Number: .* fields= leaves the column out"
    ):
        run(hosts, folder)

    assert files(folder) == before
    assert sorted(path.name for path in (folder.parent / ".host.mirror").iterdir()) == [
        "000001", "000001.json", "lock",
    ]  # fmt: skip


def test_rows_that_the_server_counts_and_does_not_send_leave_the_mirror_as_it_was(hosts, folder, monkeypatch):
    run(hosts, folder)
    before = files(folder)
    hosts.update_bulk({"cpus": 5}, {"q": {"name": {"$exists": True}}})
    raw_page = sispy.Endpoint.raw_page

    def short(endpoint, query):
        page = raw_page(endpoint, query)
        rows = json.loads(page.body)
        return replace(page, body=json.dumps(rows[1:]).encode()) if len(rows) == 100 else page

    monkeypatch.setattr(sispy.Endpoint, "raw_page", short)
    with pytest.raises(sispy.BadAnswer, match="99 rows were read; the server counted 100"):
        run(hosts, folder)

    assert files(folder) == before


def test_rows_that_no_time_tells_of_are_found_by_their_ids(hosts, folder):
    """As of a write that took longer than the overlap, or a row that was put in beside the server."""
    run(hosts, folder)
    ids = fetched(hosts).index
    hosts.delete(ids[30])
    run(hosts, folder)
    store = generations.Store.of(folder)
    now = store.present()
    assert now
    old = now.read(now.parts[1])
    writer = store.begin(now.note, old.slice(0, 0))
    for part in now.parts:
        if part is now.parts[1]:
            writer.add(old.slice(0, 7))  # as if the others had never been seen
        else:
            writer.keep(now, part)
    store.switch(
        generations.Generation(writer.path, now.note, now.asked, now.since, now.stamp, writer.finish())
    )

    report = run(hosts, folder)

    assert counts(report) == (12, 0, 0)
    pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))


def test_what_is_written_while_a_run_reads_is_there_after_the_next(hosts, folder, monkeypatch):
    run(hosts, folder)
    ids, real, asked = fetched(hosts).index, catching_up.Run._count, []

    def meanwhile(self, wanted):
        if len(asked) % 3 == 1:
            n = 100 + len(asked)
            hosts.create(entity(n))
            hosts.update(ids[n % 30], {"cpus": n})
            hosts.delete(ids[n - 60])
        asked.append(wanted)
        return real(self, wanted)

    with monkeypatch.context() as patched:
        patched.setattr(catching_up.Run, "_count", meanwhile)
        hosts.update(ids[50], {"cpus": 1})
        run(hosts, folder)
    assert len(asked) > 5

    run(hosts, folder)

    pd.testing.assert_frame_equal(sp.read_mirror(folder), fetched(hosts))


def test_progress_meta_and_chosen_columns(hosts, folder):
    told = []
    sp.mirror(hosts, folder, meta=True, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (100, 100)
    pd.testing.assert_frame_equal(sp.read_mirror(folder), sp.fetch(hosts, progress=False).frame(meta=True))
    pd.testing.assert_frame_equal(
        sp.read_mirror(folder, fields=["name", "os"]), fetched(hosts, fields=["name", "os"])
    )
    run(hosts, folder, fields=["name"], full=True)
    with pytest.raises(ValueError, match="the mirror was made without 'cpus'"):
        sp.read_mirror(folder, fields=["cpus"])


def test_what_is_read_can_be_edited_and_pushed(hosts, folder):
    run(hosts, folder)
    hosts.update(fetched(hosts).index[1], {"cpus": 50})
    frame = sp.read_mirror(folder)
    frame.loc[frame.index[0], "cpus"] = 51

    plan = sp.snapshot_of(hosts, frame, progress=False).diff(frame)

    assert [(change.id, dict(change.after)) for change in plan.changes] == [(frame.index[0], {"cpus": 51})]
    with Sandbox() as other:
        other.client().schemas.create(SCHEMA)
        with pytest.raises(ValueError, match="was exported from server"):
            sp.snapshot_of(other.client().entities("host"), frame, progress=False)


def test_one_run_at_a_time(hosts, folder, monkeypatch):
    run(hosts, folder)
    inside, go_on = threading.Event(), threading.Event()
    newest = catching_up.Run._newest

    def wait(self):
        inside.set()
        assert go_on.wait(30)
        return newest(self)

    monkeypatch.setattr(catching_up.Run, "_newest", wait)
    first = threading.Thread(target=run, args=(hosts, folder))
    first.start()
    assert inside.wait(30)
    with pytest.raises(ValueError, match=r"another run is writing to .*host"):
        run(hosts, folder)
    go_on.set()
    first.join()

    assert counts(run(hosts, folder)) == (0, 0, 0)


def test_readers_meet_whole_states_alone(hosts, folder):
    """Each run replaces the number in all rows; whoever reads sees one number in a hundred rows."""
    hosts.update_bulk({"cpus": 0}, {"q": {"name": {"$exists": True}}})
    run(hosts, folder)
    seen, wrong, stop, done = set(), [], threading.Event(), threading.Event()

    def read():
        while not stop.is_set():
            for frame in (sp.read_mirror(folder), pd.read_parquet(folder.resolve())):
                found = set(frame["cpus"])
                seen.update(found)
                if len(found) != 1 or len(frame) != 100:
                    wrong.append(found)
            done.set()

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(1, 7):
        done.clear()
        assert done.wait(60)  # a state stays until the one after the next
        hosts.update_bulk({"cpus": n}, {"q": {"name": {"$exists": True}}})
        run(hosts, folder)
    stop.set()
    reader.join()

    assert wrong == []
    assert len(seen) > 1


KILLED = """
import os, signal, sys
from sispy.cli import main
import sispy_pandas.workflow.mirror
from sispy_pandas.formats import generations

generations.ROWS = 20
left = 0

def counted(real):
    def step(*args, **kwargs):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)
    return step

generations.write_arrow = counted(generations.write_arrow)
for name in ("link", "mkdir", "symlink", "rename", "replace", "rmdir"):
    setattr(os, name, counted(getattr(os, name)))
for line in sys.stdin:
    left = int(line)
    child = os.fork()
    if not child:
        main(["mirror", "host", sys.argv[1], "--quiet"])
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_a_run_that_is_killed_at_any_step_leaves_a_whole_state(hosts, folder):
    """SIGKILL of `sispy mirror` at the n-th step that touches the disk, for every n."""
    run(hosts, folder)
    hosts.update_bulk({"cpus": 0}, {"q": {"name": {"$gte": "h0030"}}})
    old, ends = sp.read_mirror(folder), []
    command = [sys.executable, "-c", KILLED, str(folder)]
    env = {**os.environ, "SIS_URL": hosts.client.url}
    with subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        while 0 not in ends:
            process.stdin.write(f"{len(ends) + 1}\n")
            process.stdin.flush()
            ends.append(int(process.stdout.readline()))

            found, now = sp.read_mirror(folder), fetched(hosts)
            assert len(pd.read_parquet(folder)) == 100
            assert found.equals(old) or found.equals(now)
            assert 0 not in ends or found.equals(now)
            if found.equals(now):
                hosts.update_bulk({"cpus": len(ends)}, {"q": {"name": {"$gte": "h0030"}}})
            elif len(ends) % 5 == 0:
                run(hosts, folder)
                found = sp.read_mirror(folder)
                pd.testing.assert_frame_equal(found, now)
                hosts.update_bulk({"cpus": len(ends)}, {"q": {"name": {"$gte": "h0030"}}})
            old = found
        process.stdin.close()

    assert set(ends[:-1]) == {-signal.SIGKILL}
    assert len(ends) > 8


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.integers(1, 30), st.sampled_from(["0" * 10, "8" * 10, "f" * 10])),
        st.tuples(
            st.just("update"), st.lists(st.integers(0, 99), min_size=1, max_size=6), st.integers(0, 60)
        ),
        st.tuples(st.just("delete"), st.lists(st.integers(0, 99), min_size=1, max_size=6)),
        st.tuples(st.just("delete"), st.integers(0, 90).map(lambda n: list(range(n, n + 30)))),
        st.tuples(st.just("tag"), st.integers(0, 99)),
        st.tuples(st.just("field"), st.sampled_from(["since", "tags"])),
        st.tuples(st.just("run")),
        st.tuples(st.just("run")),
    ),
    max_size=12,
)


NUMBERS = count()


class Table:
    """A table of the sandbox, and what histories do to it."""

    def __init__(self, client, name):
        client.schemas.create({**SCHEMA, "name": name})
        self.client, self.rows, self.made = client, client.entities(name), 0
        self.create(45, "8" * 10)

    def create(self, n, machine):
        scalars._machine = machine  # ids made in one second come in the order of this
        new = [entity(m) for m in range(self.made, self.made + n)]
        assert self.rows.create(new)["errors"] == []
        self.made += n

    def _ids(self, at):
        known = [row["_id"] for row in self.rows.fetch_all({"fields": "_id", "populate": False})]
        return [known[n] for n in dict.fromkeys(n % len(known) for n in at)] if known else []

    def update(self, at, cpus):
        if found := [{"_id": id_, "cpus": cpus} for id_ in self._ids(at)]:
            assert self.rows.update_bulk(found)["errors"] == []

    def delete(self, at):
        if found := self._ids(at):
            self.rows.delete_bulk({"q": {"_id": {"$in": found}}})

    def tag(self, at):
        for id_ in self._ids([at]):
            self.rows.update(id_, {"_sis": {"tags": ["a"]}})

    def field(self, name):
        """Remove a field, or put it back."""
        schema = self.client.schemas.get(self.rows.name).to_dict()
        definition = schema["definition"]
        if definition.pop(name, None) is None:
            definition[name] = DEFINITION[name]
        self.client.schemas.update(self.rows.name, schema)


@pytest.mark.parametrize("examples", [12, pytest.param(300, marks=pytest.mark.soak)])
@pytest.mark.parametrize("rows", [None, "cpus < 30"])
def test_after_any_history_a_mirror_is_what_a_fetch_gives(sandbox, tmp_path, monkeypatch, examples, rows):
    monkeypatch.setattr(scalars, "_machine", scalars._machine)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(STEPS)
    def any_history(steps):
        name = f"table{next(NUMBERS)}"
        table, folder = Table(sandbox.client(), name), tmp_path / name
        for step, *how in [("run",), *steps, ("run",)]:
            if step != "run":
                getattr(table, step)(*how)
                continue
            report = run(table.rows, folder, rows)
            now = sp.fetch(table.rows, rows, progress=False).frame()
            pd.testing.assert_frame_equal(sp.read_mirror(folder), now)
            assert report.rows == len(pd.read_parquet(folder)) == len(now)
        table.client.schemas.delete(name)

    any_history()
