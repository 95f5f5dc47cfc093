"""Predict new rows with a completed training, in a task that belongs to the call, and record that it was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from commands.answers import answer_at, event_of
from commands.call import Answer
from commands.call_task import run_call_task
from commands.cancellation import Cancellation
from commands.catalog.register_dataset import decisions_of
from commands.context import CommandContext
from commands.lookup import find_experiment
from commands.ports import StoredAppend, TaskSpec
from commands.specifications import fit_facts
from commands.unit_of_work import UnitOfWork
from domain.dataset import Dataset
from domain.errors import ConflictError, NotAbleError
from domain.experiment import Experiment
from domain.prediction import Prediction, PredictionMade, PredictionSummary


@dataclass(frozen=True, slots=True)
class NewRows:
    """One `row`, or a table: the raw upload at `path`, and the empty file `out` that gets the answer.

    `answered` is filled with the answer for one row. A requested `cancellation` ends the task, and nothing is recorded.
    """

    row: Any = None
    path: str = ""
    format: str = "csv"
    gzip: bool = False
    out: str = ""
    answered: dict[str, Any] = field(default_factory=dict, compare=False)
    cancellation: Cancellation = field(default_factory=Cancellation, compare=False, repr=False)

    @property
    def facts(self) -> dict[str, Any]:
        """What the task gets of it."""
        if not self.path:
            return {"row": self.row}
        return {"path": self.path, "format": self.format, "gzip": self.gzip, "out": self.out}


@dataclass(frozen=True, slots=True)
class MakePrediction:
    """The experiment's id or a prefix of it, and the rows; a table's answer is `csv` or `parquet`."""

    experiment: str
    rows: NewRows
    answer_format: str = "csv"
    probabilities: bool = False
    keep: bool = False


def make_prediction(command: MakePrediction, context: CommandContext) -> StoredAppend | None:
    """Append prediction-made."""
    experiment, summary = _predict(command, context)
    if command.rows.cancellation.is_requested:
        raise NotAbleError("The call ended before its rows were predicted.")
    stream = f"prediction:{context.call.prediction}"
    return context.decide(lambda work: work.get(Prediction, stream).make(experiment.name, summary))[1]


def _predict(command: MakePrediction, context: CommandContext) -> tuple[Experiment, PredictionSummary]:
    work = UnitOfWork(context.ports.store, context.last_sessions)
    experiment = find_experiment(work, context.call, command.experiment)
    form = command.answer_format if command.rows.path else "json"
    asked = {"format": form, "probabilities": command.probabilities, "kept": command.keep}
    return experiment, predict_rows(work, context, experiment, command.rows, **asked)


def predict_rows(
    work: UnitOfWork,
    context: CommandContext,
    experiment: Experiment,
    rows: NewRows,
    **asked: Any,
) -> PredictionSummary:
    """Run the task and return what it did; the rows are read like the data set that the experiment learned from.

    `asked`: `format` of the answer, whether it has `probabilities`, whether all is `kept`.
    """
    experiment.check_completed("used to predict")
    ref, facts = experiment.training.dataset, fit_facts(work, experiment.training)
    content = work.get(Dataset, f"dataset:{ref.name}").versions[ref.version]
    columns = facts["columns"] or [name for name in content.columns if name != facts["target"]]
    learned = {
        "model_blob": experiment.result.model_blob.sha256 if experiment.result else "",
        "types": {name: content.columns[name] for name in columns},
        "given": decisions_of(content, content.target, {}),
    }
    spec = TaskSpec("predict", facts | learned | {"asked": asked} | rows.facts)
    found = run_call_task(context.ports.launcher, spec, "The rows could not be predicted", rows.cancellation)
    rows.answered.update(found.pop("row", None) or {})
    return PredictionSummary(**asked, **found)


def answer_predicted(command: MakePrediction, appended: StoredAppend, context: CommandContext) -> Answer:
    """Answer with the record, and with the answer of one row. A repeat predicts again: no answer is kept."""
    event: PredictionMade = event_of(appended, PredictionMade)
    is_repeat = context.own_last is None
    if is_repeat and _predict(command, context)[1].output != event.summary.output:
        raise ConflictError(
            f"Prediction {event.facts['prediction']} was made, but its answer would be another one now."
        )
    answered = {"answer": command.rows.answered} if command.rows.answered else {}
    return answer_at(appended, describe_prediction(appended, event) | answered)


def describe_prediction(appended: StoredAppend, event: PredictionMade) -> dict[str, Any]:
    return event.facts | {"actor": event.metadata.actor, "at": appended.at.isoformat()}
