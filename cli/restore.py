"""`autolearn restore`: a withdrawn experiment put back, or a back-up put into an empty installation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from autolearn.requests import reason_request
from autolearn.views import TASK, Facts
from cli import exit_codes
from cli.backup import mode_option, of_blobs
from cli.options import shared
from cli.steps import offline, result_of
from cli.terminal import Terminal
from cli.up import at


@click.command()
@click.argument("what", metavar="EXPERIMENT | FROM")
@click.option("--reason", help="Why the experiment comes back; it is kept with the event.")
@at
@mode_option
@shared
def restore(terminal: Terminal, what: str, reason: str | None, data: Path | None, mode: str | None) -> None:
    """Put the withdrawn EXPERIMENT back into the history (with --reason), or the back-up FROM into an empty place.

    Without --reason, FROM is a folder that `autolearn backup` made. It fills a new data directory (or, distributed, an
    empty database) and its blobs. Until that has ended, nothing starts there; after an interruption, call it again.
    """
    if reason is not None:
        if data or mode:
            raise click.UsageError("An experiment comes back by a call to the backend: leave out --data and --mode.")
        body = reason_request(reason)
        terminal.show(terminal.client().post("experiments", what, "restoration", body=body).body, TASK)
        return
    if not Path(what).is_dir():
        raise click.UsageError(
            f"There is no folder {what!r} with a back-up. To put a withdrawn experiment back, say why: --reason TEXT."
        )
    _restore_backup(terminal, Path(what), data, mode)


def _restore_backup(terminal: Terminal, folder: Path, data: Path | None, mode: str | None) -> None:
    body: Facts = result_of(terminal, "Restoring", offline(_steps(folder, data, mode)))
    terminal.show(body)
    if body["master_key"] is None:
        known = f" (its fingerprint is {body['fingerprint']})" if body["fingerprint"] else ""
        terminal.say(f"Before the start, put the master key at {body['key_file']}{known}: it is not in the back-up.")
    if lost := body["lost_blobs"]:
        were = "was" if len(lost) == 1 else "were"
        terminal.say(f"{of_blobs(lost)} {were} lost before the back-up was made; `autolearn verify` names them.")
    if damaged := body["damaged_blobs"]:
        are = "is" if len(damaged) == 1 else "are"
        terminal.say(
            f"{of_blobs(damaged)} {are} damaged or missing in the back-up itself, and all else is restored. If another"
            f" back-up has them, copy its files of these names into the blobs."
        )
    if body["faults"]:
        terminal.say(
            f"The installation had faults when it was backed up, {len(body['faults'])}: see `autolearn verify`."
        )
    terminal.say("Start it with `autolearn up`: read models are folded again. Then run `autolearn verify`.")
    if not body["ok"]:
        click.get_current_context().exit(exit_codes.DIFFERENT)


def _steps(folder: Path, data: Path | None, mode: str | None) -> Iterator[dict[str, Any]]:
    from server.compose.restore import restore  # noqa: PLC0415 - loads the adapters
    from server.inspection.inspections import as_steps  # noqa: PLC0415 - idem
    from server.settings import read_settings  # noqa: PLC0415 - idem

    return as_steps(restore(read_settings(data=data, mode=mode), folder))
