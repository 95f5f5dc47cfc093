"""`autolearn train`: train a model on a data set; evaluate it and commit the session at once if asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from autolearn.errors import ClientError
from autolearn.requests import evaluation_request, training_request
from autolearn.tasks import begin_task
from autolearn.views import NOTES, TASK, Facts
from cli.commit import commit_session, say_receipt
from cli.options import check_finite, learning_of, learning_options, no_wait, parse_settings, shared
from cli.tasks import await_task, exit_by_state
from cli.terminal import Terminal

if TYPE_CHECKING:
    from autolearn.client import BackendClient

EVALUATED = ("evaluation", "measures", *NOTES, "threshold", "position")


@click.command()
@click.argument("dataset")
@click.argument("model")
@click.option("-p", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting of the model; again for more.")
@learning_options
@click.option(
    "--deadline",
    type=float,
    callback=check_finite,
    metavar="SECONDS",
    help="How long its tasks may run.  [default: AUTOLEARN_TASK_SECONDS]",
)
@click.option("--evaluate", is_flag=True, help="Compute the default measures at once.")
@click.option("--commit", is_flag=True, help="Commit the session at once, if all before went well.")
@click.option("--message", help="What this commit is about.")
@no_wait
@shared
def train(terminal: Terminal, dataset: str, model: str, pairs: tuple[str, ...], **options: Any) -> None:
    """Train MODEL on DATASET. The first training opens a session; `commit` makes it part of the history."""
    _check_flags(options)
    settings, learning = parse_settings(pairs), learning_of(options)
    request = training_request(dataset, model, settings, deadline=options["deadline"], **learning)
    client = terminal.client()
    with terminal.working(f"Training {model} on {dataset}"):
        answer = begin_task(client, ("trainings",), request, background=options["no_wait"])
    training = task = await_task(terminal, client, answer, wait=not options["no_wait"])
    try:
        if options["evaluate"] and task.get("state") == "completed":
            task = _evaluate(terminal, client, training)
        if options["commit"] and task.get("state") == "completed":
            with terminal.working("Committing"):
                training |= {"standing": "committed"} | commit_session(client, (), options["message"])
    except (ClientError, KeyboardInterrupt):
        terminal.show(training, TASK)  # it is done, whatever comes of the rest
        if options["commit"] and terminal.is_for_people:
            terminal.say("`autolearn session` shows what is not committed.")
        raise
    terminal.show(training, TASK)
    _say_what_follows(terminal, training, task, options)
    exit_by_state(terminal, task)


def _check_flags(options: dict[str, Any]) -> None:
    for name in ("evaluate", "commit"):
        if options[name] and options["no_wait"]:
            raise click.UsageError(f"--{name} waits for the training: leave out --no-wait, or {name} later.")
    if options["message"] is not None and not options["commit"]:
        raise click.UsageError("--message is of a commit: give --commit too, or give the message to `commit` later.")


def _evaluate(terminal: Terminal, client: BackendClient, training: Facts) -> Facts:
    """Evaluate a training, add to its object what came of it, and return the evaluation's."""
    with terminal.working("Evaluating"):
        answer = begin_task(client, ("evaluations",), evaluation_request(training["experiment"]))
    task: Facts = await_task(terminal, client, answer)
    training |= {key: task[key] for key in EVALUATED if key in task}
    if warnings := [*(training.get("warnings") or ()), *(task.get("warnings") or ())]:
        training["warnings"] = warnings
    if task.get("state") != "completed":
        training["error"] = task.get("error")
    return task


def _say_what_follows(terminal: Terminal, training: Facts, task: Facts, options: dict[str, Any]) -> None:
    if training.get("standing") == "committed":
        say_receipt(terminal, training)
    elif options["commit"]:
        terminal.say("It is not committed.")
    elif not options["evaluate"] and task.get("state") not in ("failed", "cancelled"):
        following = "evaluate" if task.get("state") == "completed" else "wait"
        terminal.say(f"Next: autolearn {following} {task.get('experiment')}")
