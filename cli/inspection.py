"""Verify, replay and rebuild in a process of their own: it opens the stores read-only and streams JSON lines.

`python -m cli.inspection KIND` reads its arguments as JSON from standard input; settings come by the environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from domain.errors import AutoLearnError, NotAbleError, named_error

LINE = "utf-8"


class ProcessInspector:
    """Starts one process per inspection; `environment` tells it where the data is."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def run(self, kind: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield `{"progress": 0..1, "what": str}` and, last, `{"result": {…}}`; raises domain.errors."""
        command = [sys.executable, "-m", "cli.inspection", kind]
        with subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | self._environment,
            encoding=LINE,
        ) as process:
            try:
                yield from _told(process, arguments)
            finally:
                process.terminate()


def _told(process: subprocess.Popen[str], arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if process.stdin is None or process.stdout is None:
        raise NotAbleError("The inspection has no pipes.")
    process.stdin.write(json.dumps(arguments))
    process.stdin.close()
    finished = False
    for line in process.stdout:
        told = json.loads(line)
        if "error" in told:
            raise named_error(told["error"], told["sentence"], told["facts"])
        finished = "result" in told
        yield told
    if not finished:
        raise NotAbleError(f"The inspection ended without a result (exit code {process.wait()}).")


def main() -> int:
    """Run one inspection and print its lines."""
    from cli.compose import inspect  # noqa: PLC0415 - this process only
    from cli.settings import read_settings  # noqa: PLC0415

    try:
        for told in inspect(read_settings(), sys.argv[1], json.load(sys.stdin)):
            print(json.dumps(told), flush=True)  # noqa: T201 - the pipe to the parent
    except AutoLearnError as refused:
        print(json.dumps({"error": refused.slug, "sentence": refused.sentence, "facts": refused.facts}), flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
