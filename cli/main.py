"""The command `autolearn`: names every sub-command. Cheap to import: no pydantic, no cryptography."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from adapters.host.printable import printable_streams
from cli.lazy import LazyGroup
from cli.options import placed
from cli.umask import private_files

SECTIONS = {
    "Backend of this machine": {
        "up": ("up:up", "Start the backend of this machine."),
        "down": ("up:down", "Stop the backend of this machine."),
        "demo": ("demo:demo", "A backend in a temporary place and the whole life on real data, narrated."),
    },
    "Catalog": {
        "catalog": ("catalog:catalog", "The models, data sets and measures on offer."),
        "dataset": ("dataset:dataset", "Add data sets to the catalog, and retire them."),
    },
    "Train, evaluate, commit": {
        "train": ("train:train", "Train a model on a data set."),
        "evaluate": ("evaluate:evaluate", "Compute measures of a completed training."),
        "status": ("task:status", "How an experiment, evaluation or reproduction stands."),
        "wait": ("task:wait", "Wait for the end of a training, evaluation or reproduction."),
        "cancel": ("task:cancel", "Cancel a training, evaluation or reproduction."),
        "session": ("session:session", "Your uncommitted work, or an earlier session."),
        "commit": ("session:commit", "Commit the session: all completed trainings, or the named ones."),
        "discard": ("session:discard", "Discard the session."),
    },
    "Ask what happened": {
        "history": ("history:history", "The committed experiments, newest first."),
        "show": ("experiment:show", "Everything known about one experiment."),
        "compare": ("compare:compare", "Experiments side by side, what differs first."),
        "annotate": ("remarks:annotate", "Add a remark to an experiment."),
        "withdraw": ("remarks:withdraw", "Take an experiment out of the history."),
        "restore": ("remarks:restore", "Put a withdrawn experiment back into the history."),
        "reproduce": ("experiment:reproduce", "Train an experiment again and compare what was learned."),
        "export": ("experiment:export", "Write the fitted model to a skops file."),
    },
    "For sys-admins": {
        "log": ("log:log", "Who called what, when, and how it went."),
        "replay": ("replay:replay", "The state at a time, computed from the log alone, held against the read models."),
        "rebuild": ("rebuild:rebuild", "Compute read models anew from the log."),
        "verify": ("verify:verify", "Check the chain of the log, read models, blobs and communications."),
        "recover": ("recover:recover", "Bring a lost MongoDB back from Kafka."),
        "client": ("clients:client", "Add, list, rotate and revoke clients."),
    },
    "Processes of the distributed mode": {
        "serve": ("processes:serve", "Answer the calls of one service."),
        "work": ("processes:work", "Do the queued and lost tasks of one service."),
        "relay": ("processes:relay", "Carry the log and the archive to Kafka."),
        "project": ("processes:project", "Fold the topic into the read models."),
    },
    "More": {
        "version": ("version:version", "The version of this program."),
        "call": ("call:call", "Call any route, signed and sealed."),
        "proxy": ("proxy:proxy", "Your door on loopback: plain HTTP in, signed and sealed out."),
        "completion": ("completion:completion", "Print the script that completes commands in a shell."),
    },
}


@click.command(cls=LazyGroup, sections=SECTIONS, context_settings={"help_option_names": ["-h", "--help"]})
@placed
def cli() -> None:
    """Run the life of scikit-learn models; every fact is an immutable event.

    Begin with `autolearn demo`, or with `autolearn up --detach` and `autolearn train iris logistic-regression`.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; no traceback reaches the user."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    with printable_streams(), private_files():
        try:
            code = cli.main(args=given, prog_name="autolearn", standalone_mode=False)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - this is the border
            from cli.refusals import report  # noqa: PLC0415 - only after a mistake

            return report(error, given)
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
