"""`autolearn doctor`: what an installation stands on, line by line, and what to do about trouble."""

from __future__ import annotations

from pathlib import Path

import click

from autolearn.views import Block, Facts, View
from cli import exit_codes
from cli.backup import mode_option
from cli.options import shared
from cli.terminal import Terminal
from cli.up import at


@click.command()
@at
@mode_option
@shared
def doctor(terminal: Terminal, data: Path | None, mode: str | None) -> None:
    """Check settings, versions, disk, clocks, keys, rights, servers and topics; say what is wrong and what to do.

    It needs no backend and changes nothing. The exit code is 0, or that of the first trouble.
    """
    from server.compose.doctor import examine  # noqa: PLC0415 - loads the adapters
    from server.settings import read_settings  # noqa: PLC0415 - idem

    with terminal.working("Looking"):
        found = list(examine(read_settings(data=data, mode=mode)))
    checks = [
        {"check": it.check, "state": "ok" if it.trouble is None else "trouble", "found": it.found}
        | ({} if it.trouble is None else {"problem": it.trouble.slug})
        for it in found
    ]
    first = next((it.trouble for it in found if it.trouble is not None), None)
    terminal.show({"ok": first is None, "checks": checks}, View(_blocks, rows="checks"))
    if first is not None:
        click.get_current_context().exit(exit_codes.of_error(first))


def _blocks(body: Facts) -> list[Block]:
    return [[{name: it[name] for name in ("check", "state", "found")} for it in body["checks"]]]
