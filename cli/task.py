"""`autolearn status`, `wait` and `cancel`: a training, evaluation or reproduction by its id."""

from __future__ import annotations

import click

from autolearn.tasks import path_of_task, wait_for_end
from cli.ending import leave
from cli.options import Finite, as_of, shared
from cli.terminal import Terminal
from cli.views import TASK


@click.command()
@click.argument("name", metavar="ID")
@as_of
@shared
def status(terminal: Terminal, name: str, as_of: str | None) -> None:
    """Tell how the experiment, evaluation or reproduction ID stands."""
    terminal.show(terminal.client().get(*path_of_task(name), as_of=as_of).body, TASK)


@click.command()
@click.argument("name", metavar="ID")
@click.option("--timeout", type=Finite(0), metavar="S", help="Give up after so many seconds (exit code 124).")
@shared
def wait(terminal: Terminal, name: str, timeout: float | None) -> None:
    """Wait for the end of the training, evaluation or reproduction ID."""
    with terminal.working(f"Waiting for {name}"):
        body = wait_for_end(terminal.client(), path_of_task(name), timeout)
    terminal.show(body, TASK)
    leave(terminal, body, different=body.get("verdict") in ("different", "not-possible"))


@click.command()
@click.argument("name", metavar="ID")
@shared
def cancel(terminal: Terminal, name: str) -> None:
    """Cancel the training, evaluation or reproduction ID."""
    terminal.show(terminal.client().delete(*path_of_task(name)).body, TASK)
