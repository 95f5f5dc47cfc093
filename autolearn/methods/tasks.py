"""Tasks in Python: trainings, evaluations, reproductions and searches, how they are doing, and waiting for them."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from autolearn.answers import Response
from autolearn.client import BackendClient
from autolearn.methods import Methods, Named, id_in
from autolearn.moments import Moment, as_of_text
from autolearn.results import Listing, Proof, Result
from autolearn.tasks import call_task, path_of_answer
from autolearn.views import Facts, View, search_list_blocks, task_blocks


class Task(Result):
    """What the backend works on: its id, and how it is doing."""

    __slots__ = ("_client",)
    state: str
    session: str | None
    error: dict[str, str] | None
    VIEW: ClassVar[View] = View(task_blocks)

    def __init__(self, facts: Facts, proof: Proof, client: BackendClient | None = None) -> None:
        super().__init__(facts, proof)
        object.__setattr__(self, "_client", client)

    @property
    def id(self) -> str:
        """By which `status`, `wait` and `cancel` know it."""
        return path_of_answer("", self.facts)[-1]


class Training(Task):
    """A training, and the experiment that comes of it."""

    __slots__ = ()
    experiment: str
    search: str | None
    dataset: dict[str, Any]
    target: str | None
    columns: list[str] | None
    model: dict[str, Any]
    settings: dict[str, Any]
    seed: int
    test_size: float
    split: dict[str, Any]
    learned: dict[str, Any] | None
    features: int | None
    fit_seconds: float | None
    warnings: list[str] | None
    NAMES: ClassVar[tuple[str, ...]] = ("experiment", "state")


class Evaluation(Task):
    """Measures of a training, by name (`precision:macro`)."""

    __slots__ = ()
    evaluation: str
    experiment: str
    measures: dict[str, Any]
    intervals: dict[str, list[float]]
    threshold: float | None
    reasons: dict[str, str]
    warnings: list[str]
    NAMES: ClassVar[tuple[str, ...]] = ("evaluation", "state", "measures")


class Reproduction(Task):
    """An experiment that was trained again, and whether it learned the same."""

    __slots__ = ()
    reproduction: str
    experiment: str
    verdict: str | None
    differences: list[str]
    NAMES: ClassVar[tuple[str, ...]] = ("reproduction", "state", "verdict")


class Search(Task):
    """A search over settings: its trials by rank, and the experiments that train the best."""

    __slots__ = ()
    search: str
    dataset: dict[str, Any]
    models: list[dict[str, Any]]
    strategy: str
    planned: int
    completed: int
    failed: int
    by: str
    best: dict[str, Any] | None
    experiments: list[str]
    trials: list[dict[str, Any]] | None
    NAMES: ClassVar[tuple[str, ...]] = ("search", "state", "best")


def task_of(answer: Response, client: BackendClient) -> Any:
    """Return an answer as the task that it tells of."""
    body = answer.body
    kind: type[Task] = Training
    for name, other in (("evaluation", Evaluation), ("reproduction", Reproduction)):
        kind = other if isinstance(body.get(name), str) else kind
    kind = Search if "planned" in body else kind
    return kind(body, Proof.of(answer), client)


class TaskMethods(Methods):
    """How tasks are doing."""

    def searches(self, *, as_of: Moment | None = None) -> Listing[Search]:
        """Return this client's searches, newest first."""
        return Listing(self._ask("searches", as_of=as_of), Search, View(search_list_blocks, rows="searches"))

    def show_search(self, search: Named, *, limit: int | None = None, as_of: Moment | None = None) -> Search:
        """Return a search with its trials, the best first."""
        answer = self._ask("searches", id_in(search, "search"), limit=limit, as_of=as_of)
        return Search(answer.body, Proof.of(answer), self.client)

    def status(self, task: Named | Task, *, as_of: Moment | None = None) -> Any:
        """Return how the training, evaluation, reproduction or search of this id is doing."""
        answer = call_task(_id_of(task), partial(self.client.get, as_of=as_of_text(as_of)))
        return task_of(answer, self.client)


def _id_of(task: Named | Task) -> str:
    return task.id if isinstance(task, Task) else id_in(task)
