"""Data sets: what is in the catalog, what a version holds, what to look at before training; add and retire."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.responses import Response

from autolearn.errors import ClientError, InvalidInputError
from autolearn.requests import dataset_query, file_query
from console.page import Page

BLOCK = 1 << 20
ROWS = 10
TEXTS: Final = (
    "target", "task", "positive", "licence", "source", "separator", "decimal", "thousands", "encoding", "sheet", "like",
)  # fmt: skip
LISTS: Final = ("missing", "drop")
FLAGS: Final = ("dayfirst", "drop_missing_target")


def show_datasets(page: Page, refused: ClientError | None = None) -> Response:
    datasets = page.ask("catalog", "datasets")["datasets"]
    return page.show(
        "datasets.html",
        title="Data sets",
        cli=page.cli_line("catalog datasets"),
        python=page.python_line("datasets"),
        status=refused.status if refused else 200,
        datasets=datasets,
        changed=page.changed_since(datasets, "name", "catalog", "datasets"),
        like=page.given("like") or page.field("like"),
        refused=refused,
    )


def show_dataset(page: Page) -> Response:
    name = page.part("name")
    wanted = f"{name}@{page.given('version')}" if page.given("version") else name
    entry = page.ask("catalog", "datasets", wanted)
    body = page.ask("catalog", "datasets", wanted, "profile", rows=ROWS)
    return page.show(
        "dataset.html",
        title=f"{name}@{body['version']}",
        cli=page.cli_line("dataset show", wanted, rows=ROWS),
        python=page.python_line("profile", wanted, rows=ROWS),
        name=name,
        entry=entry,
        body=body,
        profile=body["profile"],
    )


def add_dataset(page: Page) -> Response:
    """Send the uploaded file on, with the decisions that were given."""
    file = page.form.get("file")
    try:
        if not isinstance(file, UploadFile) or not file.filename:
            raise InvalidInputError("Choose a file: CSV, TSV, Excel, ODS, Parquet or Feather; .gz too.")
        name = page.field("name")
        if not name:
            raise InvalidInputError("Give the data set a name.")
        query = file_query(Path(file.filename)) | dataset_query(**_decisions(page))
        with tempfile.NamedTemporaryFile(prefix="autolearn-console-") as copy:
            while block := file.file.read(BLOCK):
                copy.write(block)
            copy.flush()
            answer = page.client.upload("catalog", "datasets", file=Path(copy.name), name=name, **query)
    except ClientError as refused:
        return show_datasets(page, refused)
    return page.go(f"/datasets/{answer.body['name']}", version=answer.body["version"])


def retire_dataset(page: Page) -> Response:
    page.path = "/datasets"
    page.send("catalog", "datasets", page.part("name"), "retirement")
    return page.go("/datasets")


def _decisions(page: Page) -> dict[str, Any]:
    given: dict[str, Any] = {name: page.field(name) for name in TEXTS}
    given |= {name: _words(page.field(name)) for name in LISTS}
    given |= {name: page.field(name) is not None for name in FLAGS}
    return given | {"types": _types(page.field("types"))}


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def _types(text: str | None) -> dict[str, str]:
    """Read `column=type, other=type`; raises InvalidInputError."""
    types = {}
    for pair in _words(text):
        column, mark, kind = pair.rpartition("=")
        if not mark:
            raise InvalidInputError(f"Types: write COLUMN=TYPE, not {pair!r}.")
        types[column] = kind
    return types
