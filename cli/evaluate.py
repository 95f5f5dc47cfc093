"""`autolearn evaluate`: measures of a completed training, on its held-out part or on another data set."""

from __future__ import annotations

import click

from autolearn.tasks import begin_task
from cli.options import no_wait, shared
from cli.tasks import await_task, exit_by_state
from cli.terminal import Terminal
from cli.views import TASK

AVERAGES = ("macro", "micro", "weighted", "binary")


@click.command()
@click.argument("experiment", required=False)
@click.option(
    "-m",
    "--measure",
    "measures",
    multiple=True,
    help="A measure as NAME or NAME:AVERAGE, for example recall:micro; again for more.",
)
@click.option("--average", type=click.Choice(AVERAGES), help="How measures of several classes become one number.")
@click.option("--on", metavar="DATASET", help="Evaluate on this data set instead of the held-out part.")
@no_wait
@shared
def evaluate(
    terminal: Terminal,
    experiment: str | None,
    *,
    measures: tuple[str, ...],
    average: str | None,
    on: str | None,
    no_wait: bool,
) -> None:
    """Compute measures of EXPERIMENT; without one, of the newest of the session that did not fail."""
    client = terminal.client()
    request = {"experiment": experiment, "measures": list(measures), "average": average, "on": on}
    with terminal.working("Evaluating"):
        answer = begin_task(client, ("evaluations",), request, background=no_wait)
    body = await_task(terminal, client, answer, wait=not no_wait)
    terminal.show(body, TASK)
    if no_wait and body.get("evaluation"):
        terminal.say(f"Next: autolearn wait {body['evaluation']}")
    exit_by_state(terminal, body)
