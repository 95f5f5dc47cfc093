"""What comes in: bodies and query parameters as plain schemas (DTOs). Unknown keys are refused, meaning not judged."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from commands.training.request_training import DEFAULT_TEST_SIZE
from projections.ports import MOST_PAGE_ROWS, PAGE_ROWS

LAST = 2**62


class Incoming(BaseModel):
    """A body or a set of query parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class After(Incoming):
    """Of every question: the position that must be reached first."""

    after_position: int | None = Field(None, ge=0, le=LAST, description="wait up to 5 s until this position is reached")


class When(After):
    """Of every question about state: the moment it is about."""

    as_of: str | None = Field(None, description="ISO timestamp with zone, `2h ago`, or `@position`")


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
    seed: int | None = Field(None, description="0 .. 2^32-1; drawn and recorded where none is given")
    test_size: float = Field(DEFAULT_TEST_SIZE, description="held-out part, between 0 and 1")


class Evaluation(Incoming):
    """An evaluation: of the session's newest experiment that did not fail, on its held-out part, if none is named."""

    experiment: str | None = None
    measures: tuple[str, ...] = ()
    average: str | None = None
    on: str | None = None


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


class Upload(Incoming):
    """What a raw file is: its name in the catalog, the column to predict, how it is written."""

    name: str
    target: str
    format: Literal["csv", "tsv", "parquet"] = "csv"
    gzip: bool = False
    licence: str | None = Field(None, max_length=4096)
    source: str | None = Field(None, max_length=4096)


class WhichSession(When):
    """A session by its name, or a list of them."""

    session: str | None = None
    list: bool = False


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


class Replay(When):
    """State at a moment, computed from the log alone; of one stream, or of everything."""

    stream: str | None = None


# as query parameters of a route: unknown names are refused
AfterQuery = Annotated[After, Query()]
WhenQuery = Annotated[When, Query()]
UploadQuery = Annotated[Upload, Query()]
WhichSessionQuery = Annotated[WhichSession, Query()]
HistorySearchQuery = Annotated[HistorySearch, Query()]
LogPageQuery = Annotated[LogPage, Query()]
LogEventsQuery = Annotated[LogEvents, Query()]
ReplayQuery = Annotated[Replay, Query()]
