"""What it costs to begin: `python tests/benchmarks/start.py [--repeats 5] [--only TEXT]`.

CPU seconds of a fresh process, that of Python itself among them. All modules have bytecode, as those of
installed packages do.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from paired import Benchmark, Pair, Route, Task, Work, main

HELP = "import sys; sys.argv = {!r}; from sispy.cli import main; main()"
STARTS = {
    "import sispy_pandas": "import sispy_pandas",
    "import sispy_pandas, fetch": "import sispy_pandas; sispy_pandas.fetch",
    "import pandas": "import pandas",
    "sispy --help": HELP.format(["sispy", "--help"]),
    "sispy plan --help": HELP.format(["sispy", "plan", "--help"]),
    "import sispy": "import sispy; sispy.Client('http://127.0.0.1:1')",
    "import requests": "import requests",
}


def starting(code: str) -> Route:
    """Return the route that runs code in a fresh process."""

    def route(task: Task) -> Work:
        env = {**os.environ, "PYTHONPYCACHEPREFIX": str(task.folder / "bytecode")}
        env.pop("PYTHONDONTWRITEBYTECODE", None)

        def work() -> dict[str, float]:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=env)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return {"cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}

        work()
        return work

    return route


PAIRS = (
    Pair("`sispy plan --help` to `sispy --help`", "sispy plan --help", "sispy --help", 1.5, 1),
    Pair("`import sispy_pandas` to `import pandas`", "import sispy_pandas", "import pandas", 1.15, 1),
    Pair("the same and `fetch`", "import sispy_pandas, fetch", "import pandas", 1.6, 1),
    Pair("`import sispy`, a Client, to `import requests`", "import sispy", "import requests", 1.3, 1),
)
BENCHMARK = Benchmark(Path(__file__), {name: starting(code) for name, code in STARTS.items()}, PAIRS)

if __name__ == "__main__":
    main(__doc__, BENCHMARK)
