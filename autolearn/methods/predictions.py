"""Predictions in Python: what was predicted, when and by whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from autolearn.answers import Response
from autolearn.methods import Methods, Named, id_in
from autolearn.moments import Moment
from autolearn.predicting import predict_table
from autolearn.requests import file_query
from autolearn.results import Pages, Proof, Result, Table
from autolearn.table_files import TableSource, row_of, table_file
from autolearn.views import Facts, View
from autolearn.views.predictions import prediction_blocks, prediction_list_blocks, prediction_rows


class Prediction(Table[Result]):
    """A prediction; where it was just made, a row for each row of the input."""

    __slots__ = ()
    prediction: str
    experiment: str
    actor: str
    at: str
    rows: int
    missing: int
    unseen: int
    beyond: int
    classes: dict[str, int]
    numbers: dict[str, float] | None
    input: dict[str, Any]
    output: dict[str, Any]
    VIEW: ClassVar[View] = View(prediction_blocks)
    NAMES: ClassVar[tuple[str, ...]] = ("prediction", "experiment", "rows")

    def __iter__(self) -> Iterator[Result]:
        return (Result(row, self.proof) for row in prediction_rows(self.facts) if row)


class CheckedPrediction(Result):
    """Whether a prediction was made for these rows, and whether its answer would be the same now."""

    __slots__ = ()
    prediction: str
    experiment: str
    same_input: bool
    same_answer: bool | None
    NAMES: ClassVar[tuple[str, ...]] = ("prediction", "same_input", "same_answer")


class PredictionMethods(Methods):
    """What fitted models said of new rows."""

    def predictions(
        self,
        experiment: Named | None = None,
        *,
        where: str | None = None,
        limit: int | None = None,
        as_of: Moment | None = None,
    ) -> Pages[Prediction]:
        """Return the predictions of an experiment, or all, newest first; `where` is such as `unseen > 0`."""
        query = {"experiment": None if experiment is None else id_in(experiment), "where": where}

        def ask(rows: int, cursor: str | None) -> Response:
            return self._ask("predictions", as_of=as_of, limit=rows, cursor=cursor, **query)

        return Pages(ask, Prediction, View(prediction_list_blocks, rows="predictions"), limit)

    def prediction(self, prediction: Named, *, as_of: Moment | None = None) -> Prediction:
        """Return one prediction, by its id."""
        return Prediction.of(self._ask("predictions", id_in(prediction, "prediction"), as_of=as_of))

    def predict(self, experiment: Named, rows: TableSource, *, proba: bool = False, keep: bool = False) -> Prediction:
        """Predict the rows of a file, a frame or a list of dictionaries, in their order; or of one dictionary one row.

        With `proba` the probability of each class, too. With `keep` the backend keeps rows and answer, else digests.
        """
        asked: Facts = {"experiment": id_in(experiment), "probabilities": int(proba), "keep": int(keep)}
        if isinstance(rows, Mapping):
            return Prediction.of(self.client.post("predictions", body=row_of(rows), **asked))
        with table_file(rows) as file:
            facts, recorded = predict_table(self.client, file, asked | file_query(file))
        return Prediction(facts, Proof.of(recorded))

    def check_prediction(self, prediction: Named, rows: TableSource) -> CheckedPrediction:
        """Tell whether a prediction was made for these rows, and whether the answer would be the same now."""
        path = ("predictions", id_in(prediction, "prediction"), "checks")
        if isinstance(rows, Mapping):
            return CheckedPrediction.of(self.client.post(*path, body=row_of(rows)))
        with table_file(rows) as file:
            return CheckedPrediction.of(self.client.upload(*path, file=file, **file_query(file)))
