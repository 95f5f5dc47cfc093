"""What comes in: bodies and query parameters as plain schemas (DTOs). Unknown keys are refused, meaning not judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from commands.training.request_search import DEFAULT_FOLDS
from commands.training.request_training import AT_RANDOM, DEFAULT_TEST_SIZE
from projections.event_answers import MOST_EVENTS
from projections.ports import MOST_PAGE_ROWS, PAGE_ROWS

LAST = 2**62
MOST_FIRST_ROWS = 100  # of a data set


class Incoming(BaseModel):
    """A body or a set of query parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class After(Incoming):
    """Of every question: the position that must be reached first."""

    after_position: int | None = Field(None, ge=0, le=LAST, description="wait up to 5 s until this position is reached")


class When(After):
    """Of every question about state: the moment it is about."""

    as_of: str | None = Field(None, description="ISO timestamp with zone, `2h ago`, or `@position`")


class ProfileOf(When):
    """The profile of a data set, with some of its first rows."""

    rows: int | None = Field(None, ge=1, le=MOST_FIRST_ROWS, description="so many of its first rows, too")


class Model(When):
    """A fitted model, as of a moment."""

    format: Literal["skops", "onnx"] = "skops"


class Nothing(Incoming):
    """An empty object."""


class NewTraining(Incoming):
    """A training: names from the catalog, settings that differ from their defaults."""

    dataset: str
    target: str | None = Field(None, description="the column to predict; the data set's own where none is given")
    only: tuple[str, ...] = Field((), description="the columns to learn from; all but the target where none is given")
    drop: tuple[str, ...] = Field((), description="columns to leave out")
    model: str
    settings: dict[str, Any] = Field(default_factory=dict)
    seed: int | None = Field(None, description="0 .. 2^32-1; without one, that of the data set's version")
    split: str = Field(AT_RANDOM, description="`random`, `group:COLUMN`, `time:COLUMN` or `dataset:NAME`")
    test_size: float = Field(DEFAULT_TEST_SIZE, description="held-out part, between 0 and 1")
    memory: int | None = Field(None, description="bytes that its tasks may use; the machine's limit without it")
    deadline: float | None = Field(None, description="seconds that its tasks may take; the machine's limit without it")


class NewSearch(Incoming):
    """A search: models of the catalog, and for each setting its values, a single one, or a text."""

    dataset: str
    models: tuple[str, ...]
    space: dict[str, Any] = Field(default_factory=dict, description='such as `{"C": [0.1, 1], "gamma": "log:1e-4..1"}`')
    strategy: str = Field("grid", description="grid, random, halving or tpe")
    trials: int | None = Field(None, strict=True, description="how many, of a strategy that draws them")
    cv: int | float | str = Field(DEFAULT_FOLDS, description="folds of each trial, or loo")
    by: str | None = Field(None, description="the measure that ranks; accuracy or r2 where none is given")
    seed: int | None = None
    keep: int = Field(1, description="how many of the best are trained as experiments")
    deadline: float | None = Field(None, description="seconds after which it ends with what it has")
    test_size: float = DEFAULT_TEST_SIZE
    target: str | None = None
    only: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    split: str = AT_RANDOM
    memory: int | None = Field(None, description="bytes that each of its tasks may use")


class Evaluation(Incoming):
    """An evaluation: of the session's newest experiment that did not fail, on its held-out part, if none is named."""

    experiment: str | None = None
    measures: tuple[str, ...] = ()
    average: str | None = None
    on: str | None = None
    cv: int | float | str | None = Field(
        None, description="fit again on so many folds; `loo`: leave out each row by itself"
    )
    repeats: int | None = Field(None, description="of the cross-validation, each with other folds")
    threshold: float | str | None = Field(
        None, description="probability from which the positive class is predicted; `best:f1` finds the best one"
    )
    positive: str | None = Field(None, description="the class that measures of two classes are about")
    by: str | None = Field(None, description="a column: the measures of each of its values as well")
    importance: bool = Field(default=False, description="of each column, by permuting it")


class Commit(Incoming):
    """A commit of every completed experiment, or of the named ones."""

    experiments: tuple[str, ...] = ()
    message: str | None = None


class Annotation(Incoming):
    """A remark, and why it is made."""

    text: str
    reason: str = "annotation"


class Reason(Incoming):
    """Why."""

    reason: str


class NewClient(Incoming):
    """A client (`[a-z0-9-]{1,40}`) and its roles."""

    client: str
    roles: tuple[str, ...] = ("analyst",)


class Anchor(Incoming):
    """Receipts to hold log and audit log against: `POSITION:HASH`; and whether the topics must be the same."""

    anchor: str | None = None
    audit_anchor: str | None = None
    against: Literal["kafka"] | None = None


class Rebuild(Incoming):
    """One projection by its name, or all."""

    projection: str | None = None


def _parsed(kind: type[list[str] | dict[str, str]], error: str) -> Callable[[str | None], Any]:
    """Return a check of JSON in a query parameter, where the framework takes a list for a repeated one."""
    adapter = TypeAdapter(kind)

    def parse(text: str | None) -> Any:
        try:
            return None if text is None else adapter.validate_json(text)
        except ValidationError as failed:
            kinds = {each["type"] for each in failed.errors()}
            raise PydanticCustomError("json_invalid" if "json_invalid" in kinds else error, "no") from None

    return parse


JsonTexts = Annotated[str | None, AfterValidator(_parsed(list[str], "list_type"))]
JsonTypes = Annotated[str | None, AfterValidator(_parsed(dict[str, str], "dict_type"))]


class Upload(Incoming):
    """What a raw file is: its name in the catalog, the column to predict, how it is written.

    Lists and objects are JSON. What is left out is found in the file, or taken from an earlier version (`like`).
    """

    name: str
    target: str | None = Field(None, description="the column to predict; needed without `like`")
    format: Literal["csv", "tsv", "xlsx", "ods", "parquet", "feather"] = "csv"
    gzip: bool = False
    licence: str | None = Field(None, max_length=4096)
    source: str | None = Field(None, max_length=4096)
    separator: str | None = Field(None, description="one character, or `tab`")
    decimal: str | None = Field(None, description="`.` or `,`")
    thousands: str | None = Field(None, description="`,` `.` `'` `_` `space` or `none`")
    encoding: str | None = Field(None, description="such as `utf-8` or `cp1252`")
    missing: JsonTexts = Field(None, description="a list: texts that mean a missing value, instead of the usual ones")
    types: JsonTypes = Field(None, description="an object: integer, number, boolean, time or string, by column")
    dayfirst: bool = Field(default=False, description="05/03/2024 is 5 March, where that is in doubt")
    sheet: str | None = Field(None, description="of a workbook")
    drop: JsonTexts = Field(None, description="a list: columns to leave out")
    drop_missing_target: bool = Field(default=False, description="leave out rows without a target")
    positive: str | None = Field(None, description="the class that measures of two classes are about; else the rarer")
    task: Literal["classification", "regression"] | None = None
    like: str | None = Field(None, description="take the decisions of this data set or version (`penguins@1`)")


class Rows(Incoming):
    """How a raw file of rows is written; of one row, which is JSON, it says nothing."""

    format: Literal["csv", "tsv", "xlsx", "ods", "parquet", "feather"] = "csv"
    gzip: bool = False


class NewPrediction(Rows):
    """Rows for a fitted model: columns in any order, read by the decisions of the data set that it learned from."""

    experiment: str
    answer: Literal["csv", "parquet"] = Field("csv", description="how the answer to a file is written")
    probabilities: bool = Field(default=False, description="one column for each class, too")
    keep: bool = Field(default=False, description="keep input and answer as blobs")


class PredictionSearch(When):
    """A page of the predictions."""

    experiment: str | None = None
    where: str | None = Field(None, description="e.g. `rows > 1000 and unseen > 0`")
    limit: int = Field(PAGE_ROWS, ge=1, le=MOST_PAGE_ROWS)
    cursor: str | None = None


class WhichSession(When):
    """A session by its name, or a list of them."""

    session: str | None = None
    list: bool = False


class Leaderboard(When):
    """How many trials, the best first."""

    limit: int = Field(PAGE_ROWS, ge=1, le=MOST_PAGE_ROWS)


class WhichReport(When):
    """The report of an evaluation by its id, or else the newest."""

    evaluation: str | None = None


class HistorySearch(When):
    """A page of the history."""

    model: str | None = None
    dataset: str | None = None
    actor: str | None = None
    session: str | None = None
    where: str | None = Field(None, description="e.g. `precision > 0.9 and C in (1, 10)`")
    since: str | None = None
    until: str | None = None
    sort: str | None = Field(None, description="a measure, setting or column; `-` before it: descending")
    limit: int = Field(PAGE_ROWS, ge=1, le=MOST_PAGE_ROWS)
    cursor: str | None = None
    withdrawn: bool = False


class LogFilter(After):
    """Which audit records."""

    correlation: str | None = None
    actor: str | None = None
    operation: str | None = None
    outcome: str | None = None
    kind: str | None = None
    since: str | None = None
    until: str | None = None


class LogPage(LogFilter):
    """A page of the log, newest first."""

    limit: int = Field(PAGE_ROWS, ge=1, le=MOST_PAGE_ROWS)
    cursor: str | None = None


class LogEvents(LogFilter):
    """Audit records from now on, from a time on (`since`), or after a position."""

    after: int | None = Field(None, ge=0, le=LAST)


class EventSearch(When):
    """A page of the event log. Without `stream`, and by `correlation`: for sys-admins."""

    stream: str | None = Field(None, description="`KIND:NAME`, such as `dataset:iris`, or an experiment's id")
    correlation: str | None = Field(None, description="of the call that they come from, as the audit log has it")
    after: int = Field(0, ge=0, le=LAST, description="only events at greater positions")
    before: int | None = Field(None, ge=0, le=LAST, description="only events at smaller positions")
    limit: int = Field(PAGE_ROWS, ge=1, le=MOST_EVENTS)
    order: Literal["oldest", "newest"] = Field("oldest", description="which event comes first")


class Replay(When):
    """State at a moment, computed from the log alone; of one stream, or of everything."""

    stream: str | None = None


# as query parameters of a route: unknown names are refused
AfterQuery = Annotated[After, Query()]
WhenQuery = Annotated[When, Query()]
ProfileQuery = Annotated[ProfileOf, Query()]
UploadQuery = Annotated[Upload, Query()]
ModelQuery = Annotated[Model, Query()]
RowsQuery = Annotated[Rows, Query()]
NewPredictionQuery = Annotated[NewPrediction, Query()]
PredictionSearchQuery = Annotated[PredictionSearch, Query()]
WhichSessionQuery = Annotated[WhichSession, Query()]
LeaderboardQuery = Annotated[Leaderboard, Query()]
WhichReportQuery = Annotated[WhichReport, Query()]
HistorySearchQuery = Annotated[HistorySearch, Query()]
LogPageQuery = Annotated[LogPage, Query()]
LogEventsQuery = Annotated[LogEvents, Query()]
EventSearchQuery = Annotated[EventSearch, Query()]
ReplayQuery = Annotated[Replay, Query()]
