"""What it costs to begin: the client, the help, the toolkit.

    python tests/benchmarks/start.py [--runs 5]

CPU seconds of a fresh process, less those of a bare Python; the best of several runs counts.

Measured on 2 shared cores, Python 3.11: import sispy and a Client 0.12, without requests 0.09,
`sispy --help` 0.08, import sispy_pandas 0.57.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys

CLIENT = "import sispy; sispy.Client('http://127.0.0.1:1')"
STARTS = {
    "import sispy, a Client": CLIENT,
    "the same without requests": f"import sys; sys.modules['requests'] = None; {CLIENT}",
    "sispy --help": "import sys; sys.argv = ['sispy', '--help']; from sispy.cli import main; main()",
    "import sispy_pandas": "import sispy_pandas",
}


def cpu_seconds(code: str) -> float:
    """Run the code in a fresh process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    bare = min(cpu_seconds("pass") for _ in range(runs))
    for name, code in STARTS.items():
        print(f"{name:28} {min(cpu_seconds(code) for _ in range(runs)) - bare:6.3f} s CPU")  # noqa: T201


if __name__ == "__main__":
    main()
