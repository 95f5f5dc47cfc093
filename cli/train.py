"""`autolearn train`: train a model on a data set, and evaluate it at once if asked to."""

from __future__ import annotations

from typing import Any

import click

from cli.ending import finished, leave
from cli.options import Finite, no_wait, shared
from cli.pairs import settings_of
from cli.terminal import Terminal
from cli.views import TASK


@click.command()
@click.argument("dataset")
@click.argument("model")
@click.option("-p", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting of the model; again for more.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Makes the training repeatable; recorded in any case.")
@click.option("--test-size", type=Finite(), help="The held-out part.  [default: 0.25]")
@click.option("--evaluate", is_flag=True, help="Compute the default measures at once.")
@no_wait
@shared
def train(terminal: Terminal, dataset: str, model: str, pairs: tuple[str, ...], **options: Any) -> None:
    """Train MODEL on DATASET. The first training opens a session; `commit` makes it part of the history."""
    if options["evaluate"] and options["no_wait"]:
        raise click.UsageError("--evaluate waits for the training: leave out --no-wait, or evaluate later.")
    wanted = {"dataset": dataset, "model": model, "settings": settings_of(pairs), "seed": options["seed"]}
    if options["test_size"] is not None:
        wanted["test_size"] = options["test_size"]
    client = terminal.client()
    with terminal.working(f"Training {model} on {dataset}"):
        answer = client.post("trainings", body=wanted, background=options["no_wait"])
    training = finished(terminal, client, answer, wait=not options["no_wait"])
    if options["evaluate"] and training.get("state") == "completed":
        _evaluate(terminal, training)
        return
    terminal.show(training, TASK)
    _point_on(terminal, training)
    leave(terminal, training)


def _evaluate(terminal: Terminal, training: dict[str, Any]) -> None:
    client = terminal.client()
    with terminal.working("Evaluating"):
        answer = client.post("evaluations", body={"experiment": training["experiment"], "measures": []})
    evaluation = finished(terminal, client, answer, wait=True)
    merged = training | {key: evaluation[key] for key in ("evaluation", "measures", "position") if key in evaluation}
    if evaluation.get("state") != "completed":
        merged["error"] = evaluation.get("error")
    terminal.show(merged, TASK)
    leave(terminal, evaluation)


def _point_on(terminal: Terminal, training: dict[str, Any]) -> None:
    name = training.get("experiment")
    if training.get("state") == "completed":
        terminal.say(f"Next: autolearn evaluate {name}")
    elif training.get("state") not in ("failed", "cancelled"):
        terminal.say(f"Next: autolearn wait {name}")
