"""Give out a fitted model as ONNX, made and checked by a task that belongs to the call; nothing is recorded."""

from __future__ import annotations

from dataclasses import dataclass, field

from commands.answers import answer_unchanged
from commands.call import Answer
from commands.call_task import run_call_task
from commands.cancellation import Cancellation
from commands.context import CommandContext
from commands.lookup import find_experiment
from commands.ports import TaskSpec
from commands.specifications import fit_facts
from commands.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ExportOnnx:
    """The experiment's id or a prefix of it, and the empty file that gets the model."""

    experiment: str
    out: str
    cancellation: Cancellation = field(default_factory=Cancellation, compare=False, repr=False)


def export_onnx(_: ExportOnnx, __: CommandContext) -> None:
    """Append nothing."""


def answer_exported(command: ExportOnnx, _: None, context: CommandContext) -> Answer:
    """Answer `{sha256, size}` of the file."""
    work = UnitOfWork(context.ports.store, context.last_sessions)
    experiment = find_experiment(work, context.call, command.experiment)
    experiment.check_completed("exported")
    learned = {"model_blob": experiment.result.model_blob.sha256 if experiment.result else "", "out": command.out}
    spec = TaskSpec("onnx", fit_facts(work, experiment.training) | learned)
    made = run_call_task(context.ports.launcher, spec, "The model could not be converted", command.cancellation)
    return answer_unchanged(context, made)
