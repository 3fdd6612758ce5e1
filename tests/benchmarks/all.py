"""All goals in one table: `python tests/benchmarks/all.py [--scale 1] [--repeats 5] [--only TEXT]`.

Each line is a pair of routes that take turns, in processes of their own; ratios are of CPU time, or of what
the line says. It takes an hour and a half; `--scale 0.1 --repeats 3` some minutes.
"""

import fetch
import files
import parts
import plans
import scale
import served
import start
import widgets
from paired import main

if __name__ == "__main__":
    scripts = (fetch, files, parts, plans, scale, served, start, widgets)
    main(__doc__, *(script.BENCHMARK for script in scripts))
