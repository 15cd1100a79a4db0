"""The program's outermost layer: exit codes, and one sentence for what went wrong.

The rest is imported inside, so that Ctrl-C during the frameworks' imports ends quietly too.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the demo.

    Returns:
        The exit code: 0, 1 when something was in the way, 130 after Ctrl-C.
    """
    try:
        return _run()
    except KeyboardInterrupt:
        return 130


def _run() -> int:
    from examples.demo.errors import EXPECTED, explain  # noqa: PLC0415 - see the module's docstring

    try:
        from examples.demo.story import tell  # noqa: PLC0415 - a missing package is told in one sentence

        tell(os.environ)
    except EXPECTED as error:
        sys.stdout.flush()
        sys.stderr.write(f"demo: {explain(error)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
