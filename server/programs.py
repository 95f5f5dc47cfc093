"""The programs of the command line that run until they are told to stop: `up`, and one for each role."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event as Signal
from threading import Thread
from typing import TYPE_CHECKING

from adapters.host.directory_lock import DirectoryLock, await_orphans
from adapters.host.shutdown import ShutdownRequest
from adapters.host.sockets import listen_at
from autolearn.locations import CONSOLE
from autolearn.printable import visible
from domain.errors import BadInputError, ConflictError
from server.compose import import_distributed, lock_directory, open_runner
from server.compose.waiting_start import WaitingStart
from server.instances import Instances
from server.roles import ALL, Roles
from server.runner import logger, prepare_process
from server.settings import read_distributed_settings

if TYPE_CHECKING:
    from server.settings import Settings

LOOK_SECONDS = 2.0  # between two looks at whether the data directory is still there


def run_up(settings: Settings, port: int, instances: int = 1, accept_loss: str | None = None) -> None:
    """Run all roles until SIGTERM or SIGINT; raises domain.errors where they cannot start.

    `instances`: how many processes do so, on one address (distributed). `accept_loss`: why it goes on where the end of
    log or audit log is lost (embedded).
    """
    prepare_process("up", settings.log)
    distributed = settings.mode == "distributed"
    if accept_loss is not None and distributed:
        raise BadInputError("In the distributed mode it is `autolearn recover --accept-loss REASON`.")
    if instances > 1 and not distributed:
        raise BadInputError("In the embedded mode one process owns the data directory: leave --instances out.")
    await_orphans(settings.data)
    with listen_at(settings.listen, port) as listener, lock_directory(settings) as lock:

        def announce() -> None:
            lock.announce(listener.url)
            ends = "Ctrl-C stops it" if instances == 1 else "Ctrl-C stops them"
            many = f"{instances} process{'es' * (instances > 1)} on {settings.database}"
            where = f": {many}" if distributed else f"; its data is in {visible(str(settings.data))}"
            _say(f"AutoLearn answers at {listener.url}{where}. {ends}.\n{CONSOLE}")

        def run(number: int, answers: Callable[[], None], shutdown: ShutdownRequest) -> None:
            is_first, opening = number == 0, partial(open_runner, settings, lock, ALL, accept_loss)
            if distributed:  # instances share the address, and one that waits must take no calls from the others
                report = partial(lock.announce, "")
                start = WaitingStart(settings, "up", listener if is_first else None, report)
                runner = start.run(opening, shutdown, is_first=is_first)
            else:  # it waits for nothing, and a signal ends it at once: nothing was acknowledged yet
                runner = opening()
                runner.start(is_first=True)
            if runner is not None:
                runner.run(listener, answers, shutdown)

        if instances == 1:
            shutdown = ShutdownRequest()
            with watched_directory(lock, shutdown.make):
                run(0, announce, shutdown)
        else:
            import_distributed()
            with Instances(lambda number, answers: run(number, answers, ShutdownRequest()), instances) as several:
                announce()
                with watched_directory(lock, several.request_stop):
                    several.wait()


def run_roles(roles: Roles, port: int) -> None:
    """Run a process of the distributed mode until SIGTERM or SIGINT; raises domain.errors where it cannot start."""
    settings = read_distributed_settings()
    prepare_process("+".join(name.replace(" ", "-") for name in roles.names), settings.log)
    with listen_at(settings.listen, port) as listener:
        what, shutdown = ", ".join(roles.names), ShutdownRequest()
        start = WaitingStart(settings, what, listener)
        runner = start.run(partial(open_runner, settings, None, roles), shutdown, is_first=False)
        if runner is None:
            return
        logger.info("%s: on %s", what, settings.servers)  # not earlier: a refusal is one line
        runner.run(listener, lambda: _say(f"AutoLearn {what} answers at {listener.url}"), shutdown)


@contextmanager
def watched_directory(lock: DirectoryLock, stop: Callable[[], object]) -> Iterator[None]:
    """Call `stop` as soon as the data directory was taken away; in the end raises ConflictError, which says so."""
    ending, found = Signal(), list[str]()

    def look() -> None:
        while not found and not ending.wait(LOOK_SECONDS):
            if (lost := lock.check_in_place()) is not None:
                found.append(lost)
                logger.critical("%s: this backend stops, and stores nothing more", lost)
                stop()

    looking = Thread(target=look, name="data directory", daemon=True)
    looking.start()
    try:
        yield
    finally:
        ending.set()
        looking.join()
    if found:
        raise ConflictError(f"{found[0]}. What was acknowledged is in the directory that was served.")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
