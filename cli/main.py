"""The command `autolearn`: names every sub-command. Cheap to import: no pydantic, no cryptography."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from autolearn.printable import printable_streams
from cli.lazy import LazyGroup, Section
from cli.options import shared_before_command
from cli.umask import private_files

SECTIONS: dict[str, Section] = {
    "Backend of this machine": {
        "up": "Start the backend of this machine.",
        "down": ("up", "Stop the backend of this machine."),
        "demo": "A backend in a temporary place and the whole life on real data, narrated.",
    },
    "Catalog": {
        "catalog": "The models, data sets and measures on offer.",
        "dataset": "Add data sets to the catalog, and retire them.",
    },
    "Train, evaluate, commit": {
        "train": "Train a model on a data set.",
        "search": "Try settings of models, and train the best.",
        "evaluate": "Compute measures of a completed training.",
        "status": "How an experiment, evaluation, reproduction or search is doing.",
        "wait": "Wait for the end of a training, evaluation, reproduction or search.",
        "cancel": "Cancel a training, evaluation, reproduction or search.",
        "session": "Your uncommitted work, or an earlier session.",
        "commit": "Commit the session: all completed trainings, or the named ones.",
        "discard": "Discard the session.",
    },
    "Ask what happened": {
        "history": "The committed experiments, newest first.",
        "show": "Everything known about one experiment.",
        "report": "How a model did: per class, curves, slices, the rows that went most wrong.",
        "compare": "Experiments side by side, what differs first.",
        "annotate": "Add a remark to an experiment.",
        "withdraw": "Take an experiment out of the history.",
        "restore": "Put a withdrawn experiment back into the history; or a back-up into an empty installation.",
        "reproduce": "Train an experiment again and compare what was learned.",
        "export": "Write the fitted model to a skops or ONNX file.",
        "predict": "What a fitted model says of new rows.",
        "predictions": "What was predicted, and whether it would be the same now.",
        "events": "The events of a stream and what each changed, or of the whole log.",
        "positions": "A moment as a position of the log, and the newest commits.",
    },
    "For sys-admins": {
        "doctor": "Check settings, servers, rights, keys and clocks, and say what to do.",
        "log": "Who called what, when, and how it went.",
        "replay": "The state at a time, computed from the log alone, held against the read models.",
        "rebuild": "Compute read models anew from the log.",
        "verify": "Check the chain of the log, read models, blobs and audit log.",
        "recover": "Bring a lost MongoDB back from Kafka.",
        "backup": "Copy log, audit log and blobs to a folder, while the backend runs.",
        "client": "Add, list, rotate and revoke clients.",
    },
    "Processes of the distributed mode": {
        "serve": ("processes", "Answer the calls of one service."),
        "work": ("processes", "Do the queued and lost tasks of one service."),
        "relay": ("processes", "Carry the log and the audit log to Kafka."),
        "project": ("processes", "Fold the topic into the read models."),
    },
    "More": {
        "version": "The version of this program.",
        "console": "The web console: pages for people, on loopback.",
        "call": "Call any route, signed and sealed.",
        "proxy": "Plain HTTP on loopback, passed on signed and sealed.",
        "completion": "Print the script that completes commands in a shell.",
    },
}


@click.command(cls=LazyGroup, sections=SECTIONS, context_settings={"help_option_names": ["-h", "--help"]})
@shared_before_command
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
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - this is the boundary
            from cli.error_report import report  # noqa: PLC0415 - only after a mistake

            return report(error, given)
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
