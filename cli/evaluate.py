"""`autolearn evaluate`: measures of a completed training, on its held-out part or on another data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from autolearn.requests import evaluation_request
from autolearn.tasks import begin_task
from autolearn.views import TASK, Facts, View
from cli.options import no_wait, number_or_text, shared
from cli.tasks import await_task, exit_by_state
from cli.terminal import Terminal

if TYPE_CHECKING:
    from autolearn.client import BackendClient

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
@click.option(
    "--cv", metavar="K|loo", callback=number_or_text, help="Fit again on K folds, or leave out each row by itself."
)
@click.option("--repeats", type=int, metavar="R", help="Cross-validate so many times, on other folds each time.")
@click.option(
    "--threshold",
    metavar="T|best:f1",
    callback=number_or_text,
    help="Predict the positive class from this probability on, or from the one with the best F1.",
)
@click.option("--positive", metavar="CLASS", help="What measures of two classes are about.  [default: the data set's]")
@click.option("--by", metavar="COLUMN", help="The measures for the rows of each value of this column, too.")
@click.option("--importance", is_flag=True, help="How much worse it gets if the values of a column are shuffled.")
@no_wait
@shared
def evaluate(
    terminal: Terminal, experiment: str | None, *, measures: tuple[str, ...], no_wait: bool, **how: Any
) -> None:
    """Compute measures of EXPERIMENT; without one, of the newest of the session that did not fail.

    docs/evaluation.md tells more about intervals, folds and thresholds.
    """
    client = terminal.client()
    request = evaluation_request(experiment, measures, **how)
    with terminal.working("Evaluating"):
        answer = begin_task(client, ("evaluations",), request, background=no_wait)
    body = await_task(terminal, client, answer, wait=not no_wait)
    terminal.show(body, _view(client, body) if terminal.is_for_people else TASK)
    if no_wait and body.get("evaluation"):
        terminal.say(f"Next: autolearn wait {body['evaluation']}")
    exit_by_state(terminal, body)


def _view(client: BackendClient, body: Facts) -> View:
    """Show slices and importance below the measures; the report has them."""
    request = click.get_current_context().params
    if not (request["by"] or request["importance"]) or body.get("state") != "completed":
        return TASK
    from autolearn.views.report import asked_blocks  # noqa: PLC0415 - only where it is asked for

    report = client.get("experiments", body["experiment"], "report", evaluation=body["evaluation"]).body
    return View(lambda shown: [*TASK.blocks(shown), *asked_blocks(report)])
