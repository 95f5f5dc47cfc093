"""Prediction: a fitted model was asked about new rows. Their counts and digests are known, not the rows themselves."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from domain.errors import NotFoundError
from domain.events import Aggregate, Event, Value
from domain.values import BlobRef

AnswerFormat = Literal["csv", "parquet", "json"]


class PredictedNumbers(Value):
    """The answers of a regression."""

    least: float
    mean: float
    greatest: float


class PredictionSummary(Value):
    """What was asked and what was answered: bytes by SHA-256 and size, and counts of rows and of values.

    `classes` counts the rows of each class, of a regression `numbers` tells the range. `missing` are missing values,
    `unseen` words that the training part had not, `beyond` values outside its range. `kept`: input and output are
    blobs. `notes` are sentences about what may surprise.
    """

    input: BlobRef
    output: BlobRef
    format: AnswerFormat
    probabilities: bool
    rows: int
    missing: int
    unseen: int
    beyond: int
    classes: dict[str, int] = Field(default_factory=dict)
    numbers: PredictedNumbers | None = None
    seconds: float
    kept: bool = False
    notes: tuple[str, ...] = ()


class PredictionMade(Event):
    """A completed training of this experiment predicted new rows."""

    NAME: ClassVar[str] = "prediction-made.v1"
    experiment: str
    summary: PredictionSummary

    @property
    def facts(self) -> dict[str, Any]:
        """The object that answers have."""
        name = self.originator_id.partition(":")[2]
        return {"prediction": name, "experiment": self.experiment} | self.summary.model_dump(mode="json")

    def apply(self, aggregate: Prediction) -> None:
        aggregate.made = self


class Prediction(Aggregate):
    made: PredictionMade | None = None

    def make(self, experiment: str, summary: PredictionSummary) -> None:
        self.trigger_event(PredictionMade, experiment=experiment, summary=summary)

    @property
    def event(self) -> PredictionMade:
        if self.made is None:
            raise NotFoundError.for_name("prediction", self.id.partition(":")[2])
        return self.made
