"""Verify, replay and rebuild in a process of their own: it only reads what is stored, and streams JSON lines.

`python -m server.inspection.process KIND` reads its arguments as a line of JSON from standard input, settings from the
environment. It ends when standard input does: then nobody waits for it.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import Any

from adapters.host.printable import PrintableStream
from adapters.host.private_files import UMASK
from adapters.host.processes import python_command
from autolearn.secret_files import forbid_dumps
from commands.cancellation import Cancellation
from domain.errors import AutoLearnError, BadInputError, ConflictError, NotAbleError
from server.inspection.pipes import end_with_caller, steps_of_process

Step = dict[str, Any]
RARELY = (100_000, 20, 50)  # events come and go without a circle: looking for garbage takes a fifth of the time
KINDS = ("verify", "replay", "rebuild")
ADOPT_SECONDS = 600.0  # what was appended during a rebuild is folded in less, else nothing is folded at all


class ProcessInspector:
    """Starts one process per inspection; `adopt` lets a rebuilt file serve, the environment names the data.

    `own_faults` are what only the process that serves can find: they go into the result of verify.
    """

    def __init__(
        self,
        environment: dict[str, str],
        adopt: Callable[[str], Future[None]],
        own_faults: Callable[[], list[str]] = list,
    ) -> None:
        self._environment = environment
        self._adopt = adopt
        self._own_faults = own_faults
        self._rebuilding = Lock()

    def run(self, kind: str, arguments: dict[str, Any], cancellation: Cancellation | None = None) -> Iterator[Step]:
        """Yield `{"progress": 0..1, "what": str}` and, last, `{"result": {…}}`; raises domain.errors.

        `cancellation` ends it. One rebuild at a time (ConflictError): each removes the files of the others.
        """
        if kind not in KINDS:
            raise BadInputError(f"{kind!r} is no inspection: {', '.join(KINDS)}.")
        with self._alone() if kind == "rebuild" else nullcontext():
            for step in self._steps(kind, arguments, cancellation or Cancellation()):
                if kind == "rebuild" and "result" in step:
                    self._let_serve(step["result"].pop("file"))
                yield self._with_own_faults(step) if kind == "verify" and "result" in step else step

    def _with_own_faults(self, step: Step) -> Step:
        faults = [{"position": None, "what": what} for what in self._own_faults()]
        if not faults:
            return step
        return {"result": step["result"] | {"ok": False, "faults": [*faults, *step["result"]["faults"]]}}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._rebuilding.acquire(blocking=False):
            raise ConflictError("A rebuild runs already: wait for its end.")
        try:
            yield
        finally:
            self._rebuilding.release()

    def _let_serve(self, file: str) -> None:
        adopted = self._adopt(file)
        try:
            adopted.result(ADOPT_SECONDS)
        except TimeoutError:
            adopted.cancel()
            raise NotAbleError(
                f"The rebuilt read models did not begin to serve within {ADOPT_SECONDS:.0f} s."
            ) from None

    def _steps(self, kind: str, arguments: dict[str, Any], cancellation: Cancellation) -> Iterator[Step]:
        return steps_of_process(
            python_command("server.inspection.process", kind), self._environment, arguments, cancellation
        )


def main() -> int:
    """Run one inspection and print its steps; serving goes first."""
    os.nice(5)
    os.umask(UMASK)
    sys.stderr = PrintableStream(sys.stderr)
    forbid_dumps()
    gc.set_threshold(*RARELY)
    arguments = json.loads(sys.stdin.readline())
    end_with_caller(sys.stdin)
    from server.inspection.inspections import inspect  # noqa: PLC0415 - the stores, only in this process
    from server.settings import read_settings  # noqa: PLC0415 - idem

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
