"""Starts verify, replay and rebuild in processes of their own (`server.inspection.__main__`); passes on their steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import Any

from adapters.host.processes import python_command
from commands.cancellation import Cancellation
from domain.errors import BadInputError, ConflictError, NotAbleError
from server.inspection.pipes import steps_of_process

Step = dict[str, Any]
KINDS = ("verify", "replay", "rebuild")
STOPPING = "The backend is stopping: ask again once it runs."
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
        self._running: set[Cancellation] = set()
        self._is_ending = False

    def run(self, kind: str, arguments: dict[str, Any], cancellation: Cancellation | None = None) -> Iterator[Step]:
        """Yield `{"progress": 0..1, "what": str}` and, last, `{"result": {…}}`; raises domain.errors.

        `cancellation` ends it. One rebuild at a time (ConflictError): each removes the files of the others.
        """
        if kind not in KINDS:
            raise BadInputError(f"{kind!r} is not an inspection: {', '.join(KINDS)}.")
        with self._alone() if kind == "rebuild" else nullcontext():
            for step in self._steps(kind, arguments, cancellation or Cancellation()):
                if kind == "rebuild" and "result" in step:
                    self._let_serve(step["result"].pop("file"))
                yield self._with_own_faults(step) if kind == "verify" and "result" in step else step

    def end_all(self) -> None:
        """End those that run, and begin none any more: whoever waits gets NotAbleError."""
        self._is_ending = True
        for running in self._running.copy():
            running.request()

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
        self._running.add(cancellation)
        if self._is_ending:  # asked once it can be found: either this or `end_all` sees the other
            cancellation.request()
        try:
            yield from steps_of_process(
                python_command("server.inspection", kind), self._environment, arguments, cancellation
            )
        except NotAbleError:
            if self._is_ending:
                raise NotAbleError(STOPPING) from None
            raise
        finally:
            self._running.discard(cancellation)
