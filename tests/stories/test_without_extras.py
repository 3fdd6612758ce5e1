"""Without any extra everything but speed is the same: a table is read, edited, pushed and taken back."""

import json
import subprocess
import sys

import pytest

from sispy.sandbox import Sandbox

EXTRAS = {
    *("anywidget", "dask", "distributed", "msgspec", "openpyxl", "pyarrow", "python_calamine"),
    *("uvicorn", "xlsxwriter"),
}
TABLE = {
    "name": "box",
    "_sis": {"owner": ["ops"]},
    "definition": {
        "name": {"type": "String", "unique": True},
        "text": "String",
        "kind": {"type": "String", "enum": ["a", "b"]},
        "whole": "Number",
        "number": "Number",
        "live": "Boolean",
        "at": "Date",
        "ip": "IpAddress",
        "tags": ["String"],
        "disks": [{"dev": "String", "gb": "Number"}],
        "sub": {"text": "String", "at": "Date"},
        "facts": "Mixed",
    },
}
FULL = {
    "text": "ü \u2028 '=1",
    "kind": "a",
    "whole": 3,
    "number": 1.5,
    "live": False,
    "at": "2020-01-02T03:04:05.678Z",
    "ip": "10.0.0.1/24",
    "tags": ["x", "y"],
    "disks": [{"dev": "sda", "gb": 1}],
    "sub": {"text": "deep", "at": "1969-12-31T23:59:59.999Z"},
    "facts": {"a": [1, None, {"b": 2.5}]},
}
SCRIPT = """
import json, sys
import sispy, sispy_pandas as sp

client = sispy.Client(sys.argv[1], auth_token=sys.argv[2])
boxes, file = client.entities("box"), sys.argv[3]
limits = sp.Limits(settle=0.0, settle_row=0.0)
live = sp.fetch(boxes, progress=False)
frame = live.frame()
told = {
    "dtypes": frame.dtypes.map(str).to_dict(),
    "empty": sp.fetch(boxes, "name = nobody", progress=False).frame().dtypes.map(str).to_dict(),
    "rows": live.records(),
    "unedited": len(live.diff(frame)),
}
sp.to_csv(live, file)
told["file"] = open(file, encoding="utf-8").read()
told["from the file"] = len(live.diff(sp.read_csv(file, live.schema)))
edited = frame.assign(text="new", at=frame["sub.at"], whole=frame["whole"] + 1)
report = live.diff(edited).push(progress=False, limits=limits)
told["pushed"] = [sp.fetch(boxes, progress=False).records(), [o.word for o in report.outcomes]]
told["undone"] = [o.word for o in sp.undo(report).push(progress=False, limits=limits).outcomes]
told["again"] = sp.fetch(boxes, progress=False).records()
print(json.dumps(told, default=str, sort_keys=True))
"""


def told(sandbox, folder, *, hidden=()):
    """Run the script in a process of its own; return what it tells, but for times of writes."""
    hide = f"import sys; sys.modules.update(dict.fromkeys({sorted(hidden)}))\n"
    command = [
        sys.executable,
        "-c",
        hide + SCRIPT,
        sandbox.url,
        str(sandbox.token),
        str(folder / "boxes.csv"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def strings_of(found, kind):
    """Return dtypes with one name for texts: what holds them is another without pyarrow."""
    return {name: "str" if "str" in str(dtype) else dtype for name, dtype in found[kind].items()}


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        client = sandbox.client()
        client.schemas.create(TABLE)
        boxes = client.entities("box")
        for n in range(3):
            boxes.create({"name": f"full{n}", **FULL})
        boxes.create({"name": "blank"})
        yield sandbox


def test_the_same_without_any_extra_and_with_all(sandbox, tmp_path, monkeypatch):
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "journals"))

    with_all = told(sandbox, tmp_path)
    without = told(sandbox, tmp_path, hidden=EXTRAS)

    for kind in ("dtypes", "empty"):
        assert strings_of(without, kind) == strings_of(with_all, kind)
    assert without["rows"] == with_all["again"]
    for found in (with_all, without):
        rows = [{k: v for k, v in row.items() if not k.startswith("_")} for row in found["rows"]]
        assert rows == [{k: v for k, v in row.items() if not k.startswith("_")} for row in found["again"]]
        assert {name: rows[0][name] for name in FULL.keys() - {"disks", "ip"}} == {
            name: value for name, value in FULL.items() if name not in ("disks", "ip")
        }
        assert (found["unedited"], found["from the file"]) == (0, 0)
        assert found["pushed"][1] == found["undone"] == ["done"] * 4
        new = found["pushed"][0][0]
        assert (new["text"], new["at"], new["whole"]) == ("new", FULL["sub"]["at"], 4)  # type: ignore[index]
    lines, other = (found["file"].splitlines() for found in (with_all, without))
    assert [line.rsplit(",", 1)[0] for line in lines] == [line.rsplit(",", 1)[0] for line in other]
