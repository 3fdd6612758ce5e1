"""Ctrl-C while pages travel: it ends at once, and leaves neither a thread nor half a file."""

import signal
import subprocess
import sys
import time

import pytest

from sispy.sandbox import Faults, Sandbox

FETCH = """
import sys, threading
import sispy, sispy_pandas as sp
from sispy_pandas.fetching import pages
pages.PAGE = 2
hosts = sispy.Client(sys.argv[1]).entities("host")
print("ready", flush=True)
try:
    {work}
except KeyboardInterrupt:
    print([t.name for t in threading.enumerate() if t.name.startswith("sispy-page")], flush=True)
"""


@pytest.mark.parametrize(
    "work", ["sp.fetch(hosts, progress=False)", "sp.to_csv(hosts, sys.argv[2], progress=False)"]
)
def test_ctrl_c_stops_promptly_and_leaves_nothing_behind(tmp_path, work):
    path = tmp_path / "hosts.csv"
    path.write_text("old")
    with Sandbox() as sis:
        client = sis.client()
        client.schemas.create({"name": "host", "definition": {"name": "String"}, "_sis": {"owner": ["ops"]}})
        client.entities("host").create([{"name": str(i)} for i in range(60)])
        sis.faults = Faults(latency=0.3)
        command = [sys.executable, "-c", FETCH.format(work=work), sis.url, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(1.5)  # in the middle of the pages
            process.send_signal(signal.SIGINT)
            start = time.monotonic()
            assert process.stdout.read() == "[]\n"
            assert process.wait() == 0
            assert time.monotonic() - start < 3
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]
