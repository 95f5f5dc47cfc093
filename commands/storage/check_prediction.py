"""Check a prediction: whether it was made for these rows, and whether the answer would be the same now."""

from __future__ import annotations

from dataclasses import dataclass

from commands.answers import answer_unchanged
from commands.call import Answer
from commands.context import CommandContext
from commands.lookup import find_prediction
from commands.storage.make_prediction import NewRows, predict_rows
from commands.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class CheckPrediction:
    """The prediction's id or a prefix of it, and the rows."""

    prediction: str
    rows: NewRows


def check_prediction(_: CheckPrediction, __: CommandContext) -> None:
    """Append nothing: a check is no fact of the prediction."""


def answer_checked(command: CheckPrediction, _: None, context: CommandContext) -> Answer:
    """Answer `{same_input, same_answer}`; of other rows the second is null."""
    work = UnitOfWork(context.ports.store, context.last_sessions)
    made, experiment = find_prediction(work, context.call, command.prediction)
    was = made.summary
    asked = {"format": was.format, "probabilities": was.probabilities, "kept": False}
    now = predict_rows(work, context, experiment, command.rows, **asked)
    same_input = now.input == was.input
    body = {
        "prediction": made.facts["prediction"],
        "experiment": experiment.name,
        "same_input": same_input,
        "same_answer": now.output == was.output if same_input else None,
        "input": {"was": was.input.sha256, "is": now.input.sha256},
        "output": {"was": was.output.sha256, "is": now.output.sha256},
    }
    return answer_unchanged(context, body)
