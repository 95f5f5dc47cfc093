"""One verify, replay or rebuild: a process that only reads what is stored, and prints its steps as lines of JSON.

`python -m server.inspection KIND` reads its arguments as a line of JSON from standard input, settings from the
environment. It ends when standard input does: then nobody waits for it.
"""

from __future__ import annotations

import gc
import json
import os
import sys

from adapters.host.private_files import UMASK
from autolearn.printable import PrintableStream
from autolearn.secret_files import forbid_dumps
from domain.errors import AutoLearnError
from server.inspection.inspections import Step, inspect
from server.inspection.pipes import end_with_caller
from server.settings import read_settings

RARELY = (100_000, 20, 50)  # events come and go without a circle: looking for garbage takes a fifth of the time


def main() -> int:
    """Run one inspection and print its steps; serving goes first."""
    os.nice(5)
    os.umask(UMASK)
    sys.stderr = PrintableStream(sys.stderr)
    forbid_dumps()
    gc.set_threshold(*RARELY)
    arguments = json.loads(sys.stdin.readline())
    end_with_caller(sys.stdin)
    try:
        for step in inspect(read_settings(), sys.argv[1], arguments):
            _write_step(step)
    except AutoLearnError as refused:
        _write_step({"error": refused.slug, "sentence": refused.sentence, "facts": refused.facts})
    return 0


def _write_step(step: Step) -> None:
    sys.stdout.write(json.dumps(step) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
