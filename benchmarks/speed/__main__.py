"""How much processor a call costs, ours and others': `python -m benchmarks.speed`, with `--help` for its options.

README.md beside this folder says what the numbers mean; `make bench` runs this in an environment that has the others.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.speed.cases import CASES, FULL, QUICK, TINY
from benchmarks.speed.chart import draw
from benchmarks.speed.measure import measure
from benchmarks.speed.report import table
from benchmarks.speed.subjects import SUBJECTS

_SIZES: Final = {"full": FULL, "quick": QUICK, "tiny": TINY}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", dest="size", action="store_const", const="quick", help="less than two minutes")
    parser.add_argument("--tiny", dest="size", action="store_const", const="tiny", help="seconds, and proves nothing")
    parser.add_argument("--rounds", type=int, help="rounds of each case, in place of the size's")
    parser.add_argument("--only", action="append", choices=list(SUBJECTS), help="a client, again for another")
    names = [case.name for case in CASES]
    parser.add_argument("--case", action="append", choices=names, help="a case and nothing else, again for another")
    parser.add_argument("--json", type=Path, help="write every round's number to this file")
    parser.add_argument("--chart", type=Path, help="draw the chart into this PNG")
    parser.add_argument("--from", dest="saved", type=Path, help="measure nothing: read this JSON file")
    arguments = parser.parse_args()
    if arguments.saved:
        found = json.loads(arguments.saved.read_text())
    else:
        sizes = _SIZES[arguments.size or "full"]
        sizes = replace(sizes, rounds=arguments.rounds or sizes.rounds)
        if arguments.case:
            sizes = replace(sizes, leak_calls=0, imports=0, without=frozenset(names) - set(arguments.case))
        found = measure(sizes, arguments.only or SUBJECTS)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    if arguments.chart:
        draw(found, arguments.chart)
    print(table(found))


if __name__ == "__main__":
    main()
