"""`up` and `down`: the backend of this machine, in the foreground or detached, and its end."""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from adapters.host.private_files import make_own_folder
from autolearn.locations import CONSOLE, data_directory, default_data_directory
from autolearn.printable import visible
from cli.options import port_option
from domain.errors import (
    ConflictError,
    NotFoundError,
    WaitedTooLongError,
)
from server.detached import Detached

MODES = ("embedded", "distributed")
QUIET_SECONDS = 10.0  # then a start that has said nothing is spoken of
STOP_SECONDS = 45.0  # longer than the parent of several instances waits for one that it then kills
LOOK_SECONDS = 0.05


class DataFolder(click.Path):
    """A folder; an empty word is none, because it would be the one that somebody happens to be in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty.", param, ctx)
        return super().convert(value, param, ctx)


at = click.option(
    "--data",
    type=DataFolder(path_type=Path, file_okay=False),
    help="The data directory.  [default: AUTOLEARN_DATA, or autolearn in the user's data home]",
)


@click.command()
@at
@port_option
@click.option("--detach", is_flag=True, help="Return when it answers; `autolearn down` stops it.")
@click.option("--mode", type=click.Choice(MODES), help="Distributed: on Kafka and MongoDB.")
@click.option("--instances", type=click.IntRange(1, 16), default=1, show_default=True, help="Distributed: processes.")
@click.option(
    "--start-timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="With --detach: give up after so long, with exit code 124.  [default: wait]",
)
@click.option("--accept-loss", metavar="REASON", help="Go on where the end of the log or of the audit log is lost.")
def up(
    *,
    data: Path | None,
    port: int,
    detach: bool,
    mode: str | None,
    instances: int,
    start_timeout: float | None,
    accept_loss: str | None,
) -> None:
    """Start the backend of this machine.

    In the distributed mode it waits for MongoDB and Kafka as long as they are away, and says so.

    Other commands find it with AUTOLEARN_DATA=DIR and AUTOLEARN_URL=http://127.0.0.1:PORT.
    """
    if detach:
        directory = data or data_directory()
        chosen = ["--instances", str(instances)] + ([] if mode is None else ["--mode", mode])
        chosen += [] if accept_loss is None else ["--accept-loss", accept_loss]
        process, url = start_backend(directory, port, *chosen, timeout=start_timeout)
        _tell_unknown_settings()
        other = "" if directory == default_data_directory() else f" --data {shlex.quote(str(directory))}"
        told = f"The backend answers at {url} (process {process.pid}). Stop it with `autolearn down{other}`."
        click.echo(visible(f"{told}\n{CONSOLE}"), err=True)
        return
    if start_timeout is not None:
        raise click.UsageError("--start-timeout goes with --detach: in the foreground, end it when it takes too long.")
    from server.programs import run_up  # noqa: PLC0415 - the backend's imports, not needed by --help
    from server.settings import read_settings  # noqa: PLC0415 - pydantic only where a backend starts

    run_up(read_settings(data=data, mode=mode), port, instances, accept_loss)


@click.command()
@at
def down(data: Path | None) -> None:
    """Stop the backend of this machine."""
    from adapters.host.directory_lock import asked_to_end, holder  # noqa: PLC0415 - only this command needs it

    directory = data or data_directory()
    running = holder(directory)
    if running is None:
        raise NotFoundError(f"No backend runs on {directory}.")
    pid = running.pid
    deadline = time.monotonic() + STOP_SECONDS
    with asked_to_end(running, directory) as process:
        while holder(directory) is not None or not select.select([process], [], [], 0)[0]:
            if time.monotonic() > deadline:
                raise WaitedTooLongError(f"Process {pid} was asked to stop and still runs after {STOP_SECONDS:.0f} s.")
            time.sleep(LOOK_SECONDS)
    click.echo(f"The backend (process {pid}) has stopped.", err=True)


def start_backend(
    data: Path, port: int, *chosen: str, timeout: float | None = None
) -> tuple[subprocess.Popen[bytes], str]:
    """Start a backend in a process of its own and return it and its URL once it answers.

    It says on standard error what the backend waits for. Raises WaitedTooLongError after `timeout` seconds.
    """
    from adapters.host.directory_lock import await_orphans, holder  # noqa: PLC0415 - only this command needs it

    running = await_orphans(data)
    if running is not None:
        where = f"process {running.pid} at {running.url}" if running.url else "it is starting or stopping"
        raise ConflictError(f"A backend runs on {data} already: {where}.")
    make_own_folder(data)
    detached = Detached.start(data, "up", "--data", str(data), "--port", str(port), *chosen)
    process, begun, told = detached.process, time.monotonic(), ""
    try:
        while timeout is None or time.monotonic() < begun + timeout:
            running = holder(data)
            if running is not None and running.pid == process.pid and running.url:
                return process, running.url
            if process.poll() is not None:
                raise detached.refusal()
            waits_for = running.waits_for if running is not None and running.pid == process.pid else ""
            if not waits_for and not told and time.monotonic() > begun + QUIET_SECONDS:
                waits_for = f"it is still starting; its log is {detached.log}"
            if waits_for not in ("", told):
                told = waits_for
                click.echo(visible(f"The backend does not answer yet: {told}"), err=True)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        process.terminate()
        raise
    process.terminate()
    why = f": {told.removesuffix('.')}" if told else ""
    raise WaitedTooLongError(f"The backend did not answer within {timeout:g} s{why}. Its log is {detached.log}.")


def _tell_unknown_settings() -> None:
    """Say here what a detached backend says in its log."""
    from server.settings import unknown_settings  # noqa: PLC0415 - pydantic only where a backend starts

    for sentence in unknown_settings(os.environ):
        click.echo(visible(sentence), err=True)


@contextmanager
def temporary_backend() -> Iterator[tuple[str, Path, Path]]:
    """Run a backend on a folder that goes with it; yields its URL, the credentials file and the data directory."""
    with tempfile.TemporaryDirectory(prefix="autolearn-", ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        process, url = start_backend(data, 0)
        try:
            yield url, data / "credentials.json", data
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)
