"""`sispy mirror`: a table as Parquet files, from a shell and from cron."""

import json

import pandas as pd
import pytest

import sispy_pandas as sp

pytest.importorskip("pyarrow", reason="pyarrow is not installed")


def test_a_mirror_is_made_and_brought_up_to_date(sis, sispy):
    first = sispy("mirror", "host", "mirrors/host")
    assert (first.exit_code, first.stdout) == (
        0,
        "host in mirrors/host: 60 rows, all fetched (the first run)\n",
    )
    assert len(pd.read_parquet("mirrors/host")) == 60

    hosts = sis.client().entities("host")
    hosts.delete(hosts.fetch_page({"limit": 1})[0]["_id"])
    assert sispy("mirror", "host", "mirrors/host", "--quiet").output == ""
    found = json.loads(sispy("mirror", "host", "mirrors/host", "--output", "json", "--full").stdout)

    assert {key: found[key] for key in ("kind", "table", "folder", "rows", "fetched", "added", "why")} == {
        "kind": "mirror", "table": "host", "folder": "mirrors/host", "rows": 59, "fetched": 59, "added": None,
        "why": "as was asked for",
    }  # fmt: skip
    pd.testing.assert_frame_equal(sp.read_mirror("mirrors/host"), sp.fetch(hosts, progress=False).frame())


def test_filters_and_fields_are_remembered(sis, sispy):
    assert sispy("mirror", "host", "live", "status=live", "--fields", "name,os", "-q").exit_code == 0
    assert sispy("mirror", "host", "live", "-q").exit_code == 0
    hosts = sis.client().entities("host")
    expected = sp.fetch(hosts, "status = live", fields=["name", "os"], progress=False).frame()
    pd.testing.assert_frame_equal(sp.read_mirror("live"), expected)

    refused = sispy("mirror", "host", "live", "status=retired")
    said = 'live was made with another filter: {"status": "live"}; --full makes it anew\n'
    assert (refused.exit_code, refused.stderr.endswith(said)) == (3, True)
    assert sispy("mirror", "host", "live", "status=retired", "--full", "-q").exit_code == 0
    assert set(sp.read_mirror("live").columns) == {"name", "os.name", "os.version", "_updated_at"}


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["hots", "m"], 64, "has no table 'hots'. Did you mean host?"),
        (["host", "m", "nmae=x"], 64, "no field 'nmae'"),
        (["host", "m", "rack.name=x"], 3, "'rack.name' is in another table"),
        (["host", "m", "--fields", "nmae"], 3, "no field 'nmae'"),
        (["host", "/"], 3, "has no name"),
        (["host", "-"], 64, "FOLDER -: it goes to a folder, not to standard output: name one"),
        (["host", "m", "--log-file", "-"], 64, "--log-file -: it goes to a file, not to standard output"),
    ],
)
def test_what_cannot_be_is_refused(sispy, args, status, said):
    refused = sispy("mirror", *args)
    assert (refused.exit_code, said in refused.stderr) == (status, True)


def test_a_program_may_read_what_was_done_as_csv_and_people_as_markdown(sis, sispy):
    hosts = sis.client().entities("host").count()

    as_csv = sispy("mirror", "host", "hosts", "--output", "csv", "--quiet").stdout.splitlines()
    as_markdown = sispy("mirror", "host", "hosts", "--output", "md").stdout

    names, values = (line.split(",") for line in as_csv)
    told = dict(zip(names, values, strict=True))
    assert (told["table"], told["rows"], told["fetched"], told["why"]) == (
        "host",
        str(hosts),
        str(hosts),
        "the first run",
    )
    assert f"host in hosts: {hosts} rows, nothing has changed" in as_markdown
