"""What goes out: plain schemas of the answers. Keys may be added, never removed; scripts rely on them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

State = Literal["requested", "started", "completed", "failed", "cancelled"]


class Outgoing(BaseModel):
    """An answer; `position` is the place in the log that it is true for."""

    model_config = ConfigDict(extra="allow")


class Pinned(Outgoing):
    """One version of a data set, identified by its content."""

    name: str
    version: int
    sha256: str


class Blob(Outgoing):
    """A stored file: SHA-256 (hex) and size in bytes."""

    sha256: str
    size: int


class Named(Outgoing):
    """A model and its version."""

    name: str
    version: str


class Status(Outgoing):
    """A training."""

    experiment: str
    state: State
    session: str
    search: str | None
    dataset: Pinned
    target: str | None
    columns: list[str] | None
    model: Named
    settings: dict[str, Any]
    seed: int
    test_size: float
    split: dict[str, Any]
    memory: int | None
    deadline: float | None
    learned: dict[str, Any] | None
    features: int | None
    fit_seconds: float | None
    error: dict[str, str] | None
    position: int


class SearchStatus(Outgoing):
    """A search: what was asked for, how far it is, the best trial, the experiments that train the best."""

    search: str
    state: State
    session: str
    owner: str
    dataset: Pinned
    target: str
    columns: list[str] | None
    models: list[dict[str, Any]]
    strategy: str
    planned: int
    proposed: int
    completed: int
    failed: int
    folds: dict[str, Any]
    by: str
    seed: int
    split: str
    test_size: float
    memory: int | None
    keep: int
    deadline: float | None
    stopped: str | None
    best: dict[str, Any] | None
    experiments: list[str]
    error: dict[str, str] | None
    position: int


class ShownSearch(SearchStatus):
    """A search with its trials by rank; those that have not ended come last and have none."""

    requested_at: str
    ended_at: str | None
    trials: list[dict[str, Any]]


class SearchList(Outgoing):
    """One's own searches, newest first."""

    searches: list[dict[str, Any]]
    position: int


class EvaluationStatus(Outgoing):
    """An evaluation; measures by identity (`precision:macro`, `precision:macro@wine`)."""

    evaluation: str
    experiment: str
    state: State
    measures: dict[str, Any]
    intervals: dict[str, tuple[float, float]]
    resamples: int
    spread: dict[str, float]
    folds: dict[str, list[float | None]]
    threshold: float | None
    reasons: dict[str, str]
    warnings: list[str]
    positives: dict[str, str]
    report: Blob | None
    on: Pinned | None
    error: dict[str, str] | None
    position: int


class ReproductionStatus(Outgoing):
    """A reproduction and its verdict."""

    reproduction: str
    experiment: str
    state: State
    verdict: Literal["bit-identical", "metric-equal", "different", "not-possible"] | None
    differences: list[str]
    error: dict[str, str] | None
    position: int


class Changed(Status):
    """A committed experiment after a remark."""

    withdrawn: bool


class SessionView(Outgoing):
    """A session and its experiments; or, with `list`, `sessions`."""

    position: int


class Committed(Outgoing):
    """The receipt of a commit; `head` is the log's chain hash there."""

    session: str
    committed_at: str
    experiments: list[str]
    position: int
    head: str


class Discarded(Outgoing):
    """What is gone."""

    session: str
    discarded: list[str]
    position: int


class HistoryPage(Outgoing):
    """Committed experiments; `next` is the cursor of the following page."""

    experiments: list[dict[str, Any]]
    next: str | None
    position: int


class Shown(Outgoing):
    """Everything about one experiment."""

    experiment: str
    position: int


class PredictionView(Outgoing):
    """A prediction; of one row with its `answer`: `{prediction, probabilities, unseen_words, beyond_range}`."""

    prediction: str
    experiment: str
    actor: str
    at: str
    rows: int
    classes: dict[str, int]
    numbers: dict[str, float] | None
    missing: int
    unseen: int
    beyond: int
    input: dict[str, Any]
    output: dict[str, Any]
    position: int


class PredictionsPage(Outgoing):
    """Predictions, newest first; `next` is the cursor of the following page."""

    predictions: list[dict[str, Any]]
    next: str | None
    position: int


class CheckedPrediction(Outgoing):
    """Whether a prediction was made for these rows, and whether its answer would be the same now (null: other rows)."""

    prediction: str
    experiment: str
    same_input: bool
    same_answer: bool | None
    position: int


class Report(Outgoing):
    """The report of an evaluation; docs/report.md describes its keys."""

    format: Literal["autolearn-report.v1"]
    experiment: str
    evaluation: str
    task: Literal["classification", "regression"]
    rows: int
    measures: dict[str, float | None]
    position: int


class Catalog(Outgoing):
    """What is on offer: `models`, `datasets`, `measures`, as far as they were asked for; or one entry."""

    position: int


class Offered(Outgoing):
    """One entry of the catalog, after a command."""

    position: int


class ProfileView(Outgoing):
    """The profile of a version of a data set (docs/schemas/dataset-profile.v1.json); null if it has none."""

    name: str
    version: int
    sha256: str
    profile: dict[str, Any] | None
    first_rows: list[dict[str, Any]]
    position: int


class LoggedEvent(Outgoing):
    """An event with all its facts. `commit`: where its commit ends.

    `changed`, only where a stream was asked for: `{name: [old, new]}` of the document about it; null if there is none.
    """

    position: int
    commit: int
    at: str
    stream: str
    version: int
    type: str
    actor: str
    correlation: str
    causation: str
    reason: str | None
    facts: dict[str, Any]


class Events(Outgoing):
    """Events of the log; `next` is `after` (newest first: `before`) of the following page."""

    events: list[LoggedEvent]
    next: int | None
    position: int


class Mark(Outgoing):
    """The commit of a session: how many experiments it brought into the history."""

    position: int
    at: str
    session: str
    experiments: int


class Positions(Outgoing):
    """A position with its time and chain hash (hex), the end of the log, and the newest commits of sessions in it."""

    position: int
    at: str | None
    head: str
    end: int
    end_at: str | None
    marks: list[Mark]


class LogView(Outgoing):
    """Communications, newest first."""

    communications: list[dict[str, Any]]
    next: str | None


class ReplayView(Outgoing):
    """State computed from the log alone."""

    position: int
    matches_read_models: bool


class Verification(Outgoing):
    """What verify found."""

    ok: bool
    position: int
    head: str
    faults: list[dict[str, Any]]


class Rebuilt(Outgoing):
    """What rebuild did."""


class ClientView(Outgoing):
    """A client; `key` only where it was just made."""

    client: str
    roles: list[str]
    generation: int
    revoked: bool


class Clients(Outgoing):
    """All clients."""

    clients: list[ClientView]
    position: int


class ProblemView(Outgoing):
    """A refusal (RFC 9457); `type` is a stable slug, other members are facts of it."""

    type: str
    title: str
    status: int
    detail: str
