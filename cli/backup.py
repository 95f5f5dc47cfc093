"""`autolearn backup`: log, audit log and blobs copied to a folder, while the backend runs or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from autolearn.views import Block, Facts, View
from autolearn.views.verification import summed_up
from cli import exit_codes
from cli.options import shared
from cli.steps import offline, result_of
from cli.terminal import Terminal
from cli.up import MODES, at

mode_option = click.option("--mode", type=click.Choice(MODES), help="As of `up`.  [default: AUTOLEARN_MODE]")


@click.command()
@click.argument("to", type=click.Path(path_type=Path, file_okay=False))
@click.option("--with-master-key", is_flag=True, help="Copy the master key, too: whoever has it can call as anybody.")
@at
@mode_option
@shared
def backup(terminal: Terminal, to: Path, data: Path | None, mode: str | None, *, with_master_key: bool) -> None:
    """Copy log, audit log and blobs to the folder TO, and verify the copy; nothing has to stop.

    TO is new, empty, or has an earlier back-up of the same installation: then only what is new is copied. It acts on
    the files, or on the servers, of the settings. Read models are not copied: a start folds them again.
    """
    body: Facts = result_of(terminal, "Backing up", offline(_steps(to, data, mode, with_master_key=with_master_key)))
    terminal.show(body, View(_blocks))
    if body["damage"]:
        terminal.say("The copy is damaged, so the back-up is not finished: look at the disk, and name an empty folder.")
    if body["faults"]:
        terminal.say("The back-up is whole. What is wrong in it is wrong in the installation: see `autolearn verify`.")
    if lost := body["lost_blobs"]:
        terminal.say(
            f"The installation itself lacks {len(lost)} blobs; all else is backed up. `autolearn verify` says more."
        )
    if body["master_key"] == "not in the back-up":
        terminal.say(f"The master key is not in it: keep a copy of {body['key_file']} elsewhere.")
    if not body["ok"]:
        click.get_current_context().exit(exit_codes.DIFFERENT)


def _steps(to: Path, data: Path | None, mode: str | None, *, with_master_key: bool) -> Iterator[dict[str, Any]]:
    from server.compose.backup import back_up  # noqa: PLC0415 - loads the adapters
    from server.inspection.inspections import as_steps  # noqa: PLC0415 - idem
    from server.settings import read_settings  # noqa: PLC0415 - idem

    return as_steps(back_up(read_settings(data=data, mode=mode), to, with_master_key=with_master_key))


def _blocks(body: Facts) -> list[Block]:
    lists = ("damage", "faults", "lost_blobs")
    facts = {name: value for name, value in body.items() if name not in lists}
    damage, lost = [{"damage": it} for it in body["damage"]], [{"lost_blob": it} for it in body["lost_blobs"]]
    return [facts, damage, summed_up(list(body["faults"])), lost]


def of_blobs(lost: list[str]) -> str:
    return "1 blob" if len(lost) == 1 else f"{len(lost)} blobs"
