"""`autolearn train`: train a model on a data set, and evaluate it at once if asked to."""

from __future__ import annotations

from typing import Any

import click

from autolearn.errors import ClientError
from autolearn.tasks import begin_task
from cli.options import check_finite, no_wait, parse_names, parse_settings, shared
from cli.tasks import await_task, exit_by_state
from cli.terminal import Terminal
from cli.views import TASK

EVALUATED = ("evaluation", "measures", "reasons", "positive", "position")


@click.command()
@click.argument("dataset")
@click.argument("model")
@click.option("-p", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting of the model; again for more.")
@click.option("--target", metavar="COLUMN", help="Predict this column.  [default: the data set's own target]")
@click.option("--only", metavar="A,B", multiple=True, help="Learn from these columns alone; again for more.")
@click.option("--drop", metavar="A,B", multiple=True, help="Leave these columns out; again for more.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Makes the training repeatable; recorded in any case.")
@click.option("--test-size", type=float, callback=check_finite, help="The held-out part.  [default: 0.25]")
@click.option("--evaluate", is_flag=True, help="Compute the default measures at once.")
@no_wait
@shared
def train(terminal: Terminal, dataset: str, model: str, pairs: tuple[str, ...], **options: Any) -> None:
    """Train MODEL on DATASET. The first training opens a session; `commit` makes it part of the history."""
    if options["evaluate"] and options["no_wait"]:
        raise click.UsageError("--evaluate waits for the training: leave out --no-wait, or evaluate later.")
    request = {"dataset": dataset, "model": model, "settings": parse_settings(pairs), "seed": options["seed"]}
    request |= {name: options[name] for name in ("target", "test_size") if options[name] is not None}
    request |= {name: parse_names(options[name]) for name in ("only", "drop") if options[name]}
    client = terminal.client()
    with terminal.working(f"Training {model} on {dataset}"):
        answer = begin_task(client, ("trainings",), request, background=options["no_wait"])
    training = task = await_task(terminal, client, answer, wait=not options["no_wait"])
    if options["evaluate"] and training.get("state") == "completed":
        try:
            with terminal.working("Evaluating"):
                answer = begin_task(client, ("evaluations",), {"experiment": training["experiment"], "measures": []})
            task = await_task(terminal, client, answer)
        except (ClientError, KeyboardInterrupt):
            terminal.show(training, TASK)  # it is done, whatever comes of its evaluation
            raise
        training |= {key: task[key] for key in EVALUATED if key in task}
        if warnings := [*(training.get("warnings") or ()), *(task.get("warnings") or ())]:
            training["warnings"] = warnings
        if task.get("state") != "completed":
            training["error"] = task.get("error")
    terminal.show(training, TASK)
    if not options["evaluate"] and task.get("state") not in ("failed", "cancelled"):
        following = "evaluate" if task.get("state") == "completed" else "wait"
        terminal.say(f"Next: autolearn {following} {task.get('experiment')}")
    exit_by_state(terminal, task)
