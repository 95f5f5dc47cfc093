"""`autolearn verify`: chain, read models, blobs, audit log, topics; with a backend or on a directory."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

from autolearn.events import StreamEvent
from autolearn.views import Facts, View
from autolearn.views.verification import verification_blocks
from cli import exit_codes
from cli.options import shared
from cli.steps import offline, result_of
from cli.terminal import Terminal

ANCHOR = re.compile(r"\d{1,18}:[0-9a-f]{64}")


@click.command()
@click.option("--anchor", metavar="POSITION:HASH", help="A receipt: the log must still have this hash there.")
@click.option("--audit-anchor", metavar="POSITION:HASH", help="The same of the audit log.")
@click.option("--against", type=click.Choice(["kafka"]), help="Compare both logs with their topics, too.")
@click.option("--data", type=click.Path(exists=True, file_okay=False), help="Check this directory, without a backend.")
@shared
def verify(
    terminal: Terminal, anchor: str | None, audit_anchor: str | None, against: str | None, data: str | None
) -> None:
    """Check everything that is stored; exit code 1 and a list where something was changed.

    Without an anchor, a log that was wholly rewritten looks right: keep receipts elsewhere.
    """
    for name, given in (("--anchor", anchor), ("--audit-anchor", audit_anchor)):
        if given and not ANCHOR.fullmatch(given):
            raise click.UsageError(f"{name} looks like POSITION:HASH, as `commit` prints it (64 digits 0-9a-f).")
    asked: Facts = {"anchor": anchor}
    asked |= {name: it for name, it in (("audit_anchor", audit_anchor), ("against", against)) if it}
    body = result_of(terminal, "Verifying", _steps(terminal, asked, data))
    terminal.show(body, View(verification_blocks))
    if not body.get("ok"):
        click.get_current_context().exit(exit_codes.DIFFERENT)


def _steps(terminal: Terminal, given: Facts, data: str | None) -> Iterable[StreamEvent]:
    if data is None:
        return terminal.client().stream("POST", "verifications", body=given)
    from server.inspection.inspections import inspect_offline  # noqa: PLC0415 - loads the adapters

    return offline(inspect_offline("verify", data, given))
