"""Predictions: what fitted models said of new rows; new rows for one of them; whether it would say the same now."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from autolearn.errors import ClientError, InvalidInputError, ProblemError
from autolearn.requests import file_query
from autolearn.views import Facts
from console.downloads import answer_by_file
from console.page import Page
from console.row_form import RowField, row_fields, typed_row

WRONG_INPUT = (400, 422)


def show_predictions(page: Page, refused: ClientError | None = None, answer: Facts | None = None) -> Response:
    """List predictions: all that the caller may see, or those of one experiment with forms for new rows."""
    experiment = page.ask("experiments", named) if (named := page.given("experiment")) else None
    query = {"experiment": experiment["experiment"] if experiment else None, "where": page.given("where")}
    found, wrong_filter = _found(page, query)
    return page.show(
        "predictions.html",
        title="Predictions",
        cli=page.cli_line("predictions", *filter(None, [query["experiment"]]), where=query["where"]),
        python=page.python_line("predictions", *filter(None, [query["experiment"]]), where=query["where"]),
        status=getattr(refused or wrong_filter, "status", 200),
        experiment=experiment,
        fields=_fields(page, experiment) if experiment and page.as_of is None else [],
        predictions=found["predictions"],
        next=found["next"],
        answer=answer,
        refused=refused,
        wrong_filter=wrong_filter,
    )


def make_predictions(page: Page) -> Response:
    """Predict one row, whose answer shows here because nothing keeps it; or a file, whose answer is a file."""
    asked: Facts = {name: int(page.field(name) is not None) for name in ("probabilities", "keep")}
    try:
        experiment = page.ask_now("experiments", page.given("experiment") or "")
        asked |= {"experiment": experiment["experiment"]}
        if page.field("action") == "file":
            return _predict_file(page, asked | {"answer": page.field("answer")})
        row = typed_row(_fields(page, experiment), page.form)
        answer = page.client.post("predictions", body=row, **asked).body
    except ClientError as refused:
        return show_predictions(page, refused)
    return show_predictions(page, answer=answer)


def show_prediction(page: Page, refused: ClientError | None = None, checked: Facts | None = None) -> Response:
    """Show one prediction, with forms that check it."""
    prediction = page.ask("predictions", page.part("id"))
    name = prediction["prediction"]
    return page.show(
        "prediction.html",
        title=f"Prediction {name}",
        cli=page.cli_line("predictions", prediction["experiment"]),
        python=page.python_line("prediction", name),
        status=refused.status if refused else 200,
        prediction=prediction,
        fields=_fields(page, page.ask("experiments", prediction["experiment"]))
        if prediction["format"] == "json"
        else [],
        refused=refused,
        checked=checked,
    )


def check_prediction(page: Page) -> Response:
    """Predict again, and say whether the rows and the answer are the same; nothing is recorded."""
    path = ("predictions", page.part("id"), "checks")
    try:
        if page.field("action") == "file":
            with _uploaded(page) as (file, query):
                checked = page.client.upload(*path, file=file, **query).body
        else:
            experiment = page.ask_now("predictions", page.part("id"))["experiment"]
            row = typed_row(_fields(page, page.ask_now("experiments", experiment)), page.form)
            checked = page.client.post(*path, body=row).body
    except ClientError as refused:
        return show_prediction(page, refused)
    return show_prediction(page, checked=checked)


def _found(page: Page, query: Facts) -> tuple[Facts, ClientError | None]:
    """Return a page of predictions, or what is wrong with the filter."""
    try:
        return page.ask("predictions", **query, cursor=page.given("cursor")), None
    except ProblemError as error:
        if error.status not in WRONG_INPUT:
            raise
        return {"predictions": [], "next": None}, error


def _fields(page: Page, experiment: Facts) -> list[RowField]:
    """Return a field for each column that an experiment learned from; none where its data set has no profile."""
    if experiment["state"] != "completed":
        return []
    dataset = f"{experiment['dataset']['name']}@{experiment['dataset']['version']}"
    profile = page.ask_now("catalog", "datasets", dataset, "profile")["profile"]
    return row_fields(profile, experiment["columns"], experiment["target"]) if profile else []


def _predict_file(page: Page, asked: Facts) -> Response:
    with _uploaded(page) as (file, query):

        def write(path: Path) -> None:
            page.client.upload_for_file("predictions", file=file, to=path, **asked, **query)

        ending = "parquet" if asked["answer"] == "parquet" else "csv"
        return answer_by_file(f"predictions-{asked['experiment']}.{ending}", write)


@contextmanager
def _uploaded(page: Page) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give the file that came with the form, and how it is written by its name. Raises InvalidInputError."""
    sent = page.form.get("file")
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise InvalidInputError("Choose a file with rows: .csv, .tsv, .xlsx, .ods, .parquet or .feather.")
    query = file_query(Path(sent.filename))
    with tempfile.TemporaryDirectory(prefix="autolearn-console-") as folder:
        path = Path(folder) / "rows"
        with path.open("wb") as copy:
            shutil.copyfileobj(sent.file, copy)
        yield path, query
