"""`autolearn search`: try settings of models on folds, and train the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from autolearn.requests import search_request
from autolearn.tasks import UNFINISHED, begin_task, path_of_answer, wait_and_train
from autolearn.views import SEARCH, Facts, View, search_list_blocks
from cli.options import (
    as_of,
    check_finite,
    learning_of,
    learning_options,
    limit,
    no_wait,
    number_or_text,
    parse_space,
    shared,
)
from cli.tasks import exit_by_state
from cli.terminal import Terminal

if TYPE_CHECKING:
    from autolearn.answers import Response
    from autolearn.client import BackendClient

FIRST_TRIALS = 10  # that a search which has just ended shows
STRATEGIES = ("grid", "random", "halving", "tpe")
EXAMPLES = """\b
autolearn search wine svm -p C=0.1,1,10 -p 'gamma=log:1e-4..1' --strategy random --trials 60
autolearn search iris decision-tree,random-forest -p max_depth=int:2..20 --by f1
autolearn search show k3fu
"""


@click.command(epilog=EXAMPLES)
@click.argument("what", metavar="DATASET|show|list")
@click.argument("which", metavar="MODEL[,MODEL]|ID", required=False)
@click.option(
    "-p",
    "pairs",
    multiple=True,
    metavar="KEY=VALUES",
    help="A setting: 0.1,1,10 or log:1e-4..1, lin:0..1, int:2..20; again for more.",
)
@click.option("--strategy", type=click.Choice(STRATEGIES), help="How settings are chosen.  [default: grid]")
@click.option("--trials", type=click.IntRange(1), help="How many, of random, halving and tpe.  [default: 30]")
@click.option("--cv", callback=number_or_text, metavar="K|loo", help="Folds of each trial.  [default: 5]")
@click.option("--by", metavar="MEASURE", help="What ranks the trials.  [default: accuracy, of a number r2]")
@click.option("--keep", type=click.IntRange(1), help="Train so many of the best.  [default: 1]")
@click.option("--deadline", type=float, callback=check_finite, metavar="SECONDS", help="End then with what there is.")
@learning_options
@limit
@as_of
@no_wait
@shared
def search(terminal: Terminal, what: str, which: str | None, **options: Any) -> None:
    """Try settings of MODEL, or of several, on DATASET: each trial is fitted and measured on all folds.

    The best is trained as an experiment of the session. `search show ID` shows the trials of a search by rank,
    `search list` lists your searches.
    """
    client = terminal.client()
    if what == "list" and which is None:
        terminal.show(client.get("searches", as_of=options["as_of"]).body, View(search_list_blocks, rows="searches"))
        return
    if which is None:
        needed = "the ID of a search" if what == "show" else f"a model: autolearn search {what} MODEL"
        raise click.UsageError(f"Name {needed}.")
    if what == "show":
        query = {"limit": options["limit"], "as_of": options["as_of"]}
        terminal.show(client.get("searches", which, **query).body, SEARCH)
        return
    _search(terminal, client, what, which, options)


def _search(terminal: Terminal, client: BackendClient, dataset: str, models: str, options: dict[str, Any]) -> None:
    if options["as_of"] or options["limit"]:
        raise click.UsageError("--as-of and --limit are of `search show` and `search list`.")
    chosen = {name: options[name] for name in ("strategy", "trials", "cv", "by", "keep", "deadline")}
    space = parse_space(options["pairs"])
    request = search_request(dataset, models.split(","), space, **chosen, **learning_of(options))
    answer = begin_task(client, ("searches",), request, background=True)
    body = answer.body if options["no_wait"] else _follow(terminal, client, answer)
    trials = body.get("trials") or []
    cut = terminal.is_for_people and len(trials) > FIRST_TRIALS
    terminal.show(body | {"trials": trials[:FIRST_TRIALS]} if cut else body, SEARCH)
    if cut:
        terminal.say(f"The best {FIRST_TRIALS} trials; all: autolearn search show {body['search']}")
    if body.get("state") in UNFINISHED:
        terminal.say(f"Next: autolearn wait {body['search']}")
    elif body.get("experiments"):
        terminal.say(f"Next: autolearn evaluate {body['experiments'][0]}")
    exit_by_state(terminal, body)


def _follow(terminal: Terminal, client: BackendClient, answer: Response) -> Facts:
    """Show how far the search is until it has ended and its best trials are trained."""
    path = path_of_answer(answer.location, answer.body)
    with terminal.working("Searching") as spinner:
        tell = spinner.update if spinner else lambda _, __: None
        body: Facts = wait_and_train(client, path, tell=tell)
    return body
