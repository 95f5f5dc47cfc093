"""Tasks in Python: trainings, evaluations, reproductions and searches, how they are doing, and waiting for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Self, TypeVar

from autolearn.answers import Response
from autolearn.client import BackendClient
from autolearn.errors import InvalidInputError, TaskFailedError
from autolearn.methods import Methods, Named, dataset_in, id_in
from autolearn.moments import Moment
from autolearn.progress import progress_bar
from autolearn.requests import evaluation_request, search_request, training_request
from autolearn.results import Listing, Proof, Result
from autolearn.tasks import UNFINISHED, begin_task, call_task, path_of_answer, wait_and_train
from autolearn.views import Facts, View, format_failure, search_list_blocks, task_blocks

FAILED = ("failed", "cancelled")


class Task(Result):
    """What the backend works on: its id, and how it is doing."""

    __slots__ = ("_client",)
    _client: BackendClient | None
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

    def wait(self, timeout: float | None = None, *, progress: bool = True) -> Self:
        """Return it as it is at its end, of a search once its best trials are trained.

        Raises TaskFailedError if it failed or was cancelled, WaitTimeoutError after `timeout` seconds.
        """
        if self._client is None:
            raise InvalidInputError(f"{self.id} stands in a copy: `backend.wait({self.id!r})` waits for its end.")
        if self.state not in UNFINISHED and not isinstance(self, Search):
            return _checked(self)
        with progress_bar(f"Waiting for {self.id}", wanted=progress) as tell:
            body = wait_and_train(self._client, path_of_answer("", self.facts), timeout, tell=tell)
        return _checked(type(self)(body, Proof(int(body["position"])), self._client))

    def cancel(self) -> Self:
        """Cancel it while it waits or runs."""
        if self._client is None:
            raise InvalidInputError(f"{self.id} stands in a copy: `backend.cancel({self.id!r})` cancels it.")
        answer = self._client.delete(*path_of_answer("", self.facts))
        return type(self)(answer.body, Proof.of(answer), self._client)


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


T = TypeVar("T", bound=Task)

KINDS: dict[str, type[Task]] = {
    "trainings": Training,
    "evaluations": Evaluation,
    "reproductions": Reproduction,
    "searches": Search,
}


class TaskMethods(Methods):
    """Train, evaluate, search, and how that is doing."""

    def train(
        self,
        dataset: Named,
        model: Named,
        settings: Mapping[str, Any] | None = None,
        *,
        target: str | None = None,
        only: Iterable[str] | None = None,
        drop: Iterable[str] | None = None,
        seed: int | None = None,
        split: str | None = None,
        test_size: float | None = None,
        memory: int | None = None,
        deadline: float | None = None,
        wait: bool = True,
        progress: bool = True,
    ) -> Training:
        """Train a model on a data set. The first training opens a session; `commit` makes it part of the history.

        With `wait=False` it returns at once: `.wait()` waits later. Raises TaskFailedError where the fit fails.
        """
        request = training_request(
            dataset_in(dataset),
            id_in(model, "name"),
            settings or {},
            target=target,
            only=only,
            drop=drop,
            seed=seed,
            split=split,
            test_size=test_size,
            memory=memory,
            deadline=deadline,
        )
        return self._begin(Training, ("trainings",), request, wait=wait, progress=progress)

    def evaluate(
        self,
        experiment: Named | None = None,
        measures: Iterable[str] = (),
        *,
        average: str | None = None,
        on: Named | None = None,
        cv: int | str | None = None,
        repeats: int | None = None,
        threshold: float | str | None = None,
        positive: str | None = None,
        by: str | None = None,
        importance: bool = False,
        wait: bool = True,
        progress: bool = True,
    ) -> Evaluation:
        """Compute measures of an experiment, or of the newest of the session; without a list the usual ones."""
        request = evaluation_request(
            None if experiment is None else id_in(experiment),
            measures,
            average=average,
            on=None if on is None else dataset_in(on),
            cv=cv,
            repeats=repeats,
            threshold=threshold,
            positive=positive,
            by=by,
            importance=importance,
        )
        return self._begin(Evaluation, ("evaluations",), request, wait=wait, progress=progress)

    def reproduce(self, experiment: Named, *, wait: bool = True, progress: bool = True) -> Reproduction:
        """Train an experiment again from its record; `verdict` says whether it learned the same."""
        path = ("experiments", id_in(experiment), "reproductions")
        return self._begin(Reproduction, path, {}, wait=wait, progress=progress)

    def search(
        self,
        dataset: Named,
        models: Named | Sequence[Named],
        space: Mapping[str, Any] | None = None,
        *,
        strategy: str | None = None,
        trials: int | None = None,
        cv: int | str | None = None,
        by: str | None = None,
        keep: int | None = None,
        deadline: float | None = None,
        wait: bool = True,
        progress: bool = True,
        **learning: Any,
    ) -> Search:
        """Try settings of models, `{"C": [0.1, 1], "gamma": "log:1e-4..1"}`, and train the best.

        `learning` is what `train` knows, too: target, only, drop, seed, split, test_size, memory.
        """
        named = [models] if isinstance(models, str | Result) else models
        request = search_request(
            dataset_in(dataset),
            [id_in(model, "name") for model in named],
            space or {},
            strategy=strategy,
            trials=trials,
            cv=cv,
            by=by,
            keep=keep,
            deadline=deadline,
            **learning,
        )
        return self._begin(Search, ("searches",), request, wait=wait, progress=progress)

    def searches(self, *, as_of: Moment | None = None) -> Listing[Search]:
        """Return this client's searches, newest first."""
        kind = partial(Search, client=self.client)
        return Listing(self._ask("searches", as_of=as_of), kind, View(search_list_blocks, rows="searches"))

    def show_search(self, search: Named, *, limit: int | None = None, as_of: Moment | None = None) -> Search:
        """Return a search with its trials, the best first."""
        answer = self._ask("searches", id_in(search, "search"), limit=limit, as_of=as_of)
        return Search(answer.body, Proof.of(answer), self.client)

    def status(self, task: str | Task, *, as_of: Moment | None = None) -> Any:
        """Return how the training, evaluation, reproduction or search of this id is doing."""

        def ask(*path: str) -> Any:
            return self._task(path, self._ask(*path, as_of=as_of))

        return call_task(_id_of(task), ask)

    def wait(self, task: str | Task, timeout: float | None = None, *, progress: bool = True) -> Any:
        """Return a task as it is at its end; as `task.wait()`."""
        return self.status(task).wait(timeout, progress=progress)

    def cancel(self, task: str | Task) -> Any:
        """Cancel a task while it waits or runs."""

        def delete(*path: str) -> Any:
            return self._task(path, self.client.delete(*path))

        return call_task(_id_of(task), delete)

    def _begin(self, kind: type[T], path: tuple[str, ...], request: Facts, *, wait: bool, progress: bool) -> T:
        at_once = not wait or kind is Search  # the progress of a search is known, so it is followed
        answer = begin_task(self.client, path, request, background=at_once)
        task = kind(answer.body, Proof.of(answer), self.client)
        return task.wait(progress=progress) if wait else task

    def _task(self, path: tuple[str, ...], answer: Response) -> Task:
        return KINDS[path[0]](answer.body, Proof.of(answer), self.client)


def _checked(task: T) -> T:
    """Return a task that ended well; raises TaskFailedError for another."""
    if task.state in FAILED:
        outcome = "was cancelled" if task.state == "cancelled" else "failed"
        reason = str(format_failure(task.error) or "").rstrip(".")
        raise TaskFailedError(f"{task.id} {outcome}{f': {reason}' if reason else ''}.", task)
    return task


def _id_of(task: str | Task) -> str:
    return task.id if isinstance(task, Task) else id_in(task)
