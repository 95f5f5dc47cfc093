"""`autolearn recover`: a database that was lost, brought back from Kafka; without a backend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from autolearn.views import Facts
from cli.options import shared
from cli.steps import offline, result_of
from cli.terminal import Terminal

if TYPE_CHECKING:
    from server.settings import Settings

START = (
    "Start the processes (`autolearn up --mode distributed`, or one for each role: `project` folds the read models,"
    " `serve storage` verifies)"
)
LAST = click.IntRange(min=0)


@click.command()
@click.option("--from-kafka", is_flag=True, help="Take both logs from their topics, into an empty database.")
@click.option("--until", type=LAST, help="Give up the log behind this position: damage in the topic stops there.")
@click.option("--communications-until", type=LAST, help="Give up the audit log likewise.")
@click.option("--accept-loss", metavar="REASON", help="Go on where the end of the log or of the audit log is lost.")
@shared
def recover(
    terminal: Terminal,
    *,
    from_kafka: bool,
    until: int | None,
    communications_until: int | None,
    accept_loss: str | None,
) -> None:
    """Bring a lost MongoDB back from Kafka (--from-kafka), or go on without what is lost (--accept-loss).

    It acts on AUTOLEARN_KAFKA, AUTOLEARN_MONGODB and AUTOLEARN_DATABASE directly: stop all processes first. Called
    again after an interruption, it goes on where it was. What had not been relayed is lost: check your receipts with
    `autolearn verify --anchor`.
    """
    if accept_loss is not None:
        if from_kafka or until is not None or communications_until is not None:
            raise click.UsageError("A loss is accepted on what is there: --accept-loss stands alone.")
        _accept(terminal, accept_loss)
        return
    if not from_kafka:
        raise click.UsageError("Say where from: `autolearn recover --from-kafka`.")
    body: Facts = result_of(terminal, "Recovering", offline(_steps(terminal, until, communications_until)))
    terminal.show(body)
    if body.get("given_up"):
        terminal.say(f"Given up: {'; '.join(body['given_up'])}.")
        terminal.say(_outdated(body["to_delete"]))
    if body.get("lost"):
        terminal.say(f"Not all of it was relayed: {'; '.join(body['lost'][:3])}.")
        terminal.say("Before the start, accept that: `autolearn recover --accept-loss REASON`.")
    if body.get("master_key") is None:
        known = body.get("fingerprint")
        counts = f"that of fingerprint {known} counts" if known else "whichever the first process has counts"
        terminal.say(f"No master key is here: {counts}, so start it with the right one.")
    terminal.say(f"{START}, then run `autolearn verify --against kafka`.")


def _accept(terminal: Terminal, reason: str) -> None:
    """Accept that the end is lost."""
    from server.compose.recovery import accept_lost_ends  # noqa: PLC0415 - loads the adapters
    from server.settings import read_distributed_settings  # noqa: PLC0415 - idem

    settings = read_distributed_settings()
    _tell_place(terminal, settings)
    body = accept_lost_ends(settings, reason)
    terminal.show(body)
    if body["to_delete"] is None:
        terminal.say("Kafka does not answer: the relay says whether a topic goes on where log or audit log end.")
    elif body["to_delete"]:
        terminal.say(_outdated(body["to_delete"]))
    terminal.say(f"{START}, then run `autolearn verify`.")


def _outdated(topics: list[str]) -> str:
    """Say what to do with topics that have more than the log."""
    return (
        f"What {' and '.join(topics)} had beyond that is nowhere else: keep a copy, if anybody may want it. No relay"
        " goes on there: remove the topic before the start, and the relay fills it from MongoDB."
    )


def _steps(terminal: Terminal, until: int | None, communications_until: int | None) -> Iterator[dict[str, Any]]:
    from server.compose.recovery import recovery  # noqa: PLC0415 - loads the adapters
    from server.inspection.inspections import as_steps  # noqa: PLC0415 - idem
    from server.settings import read_distributed_settings  # noqa: PLC0415 - idem

    settings = read_distributed_settings()
    _tell_place(terminal, settings)
    return as_steps(recovery(settings, until, communications_until))


def _tell_place(terminal: Terminal, settings: Settings) -> None:
    """Say what it acts on, before it does; a script finds nothing but its JSON on stderr if that is what it wants."""
    if terminal.is_for_people:
        terminal.say(f"This acts on {settings.servers}.")
