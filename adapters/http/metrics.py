"""Metrics of this process for Prometheus: calls, tasks, how far log, read models and topics are (docs/metrics.md)."""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from adapters.host.process_metrics import REGISTRY
from adapters.http.backend import Backend
from adapters.http.read_model_lag import LagMeter
from commands.task_figures import TaskFigures
from domain.errors import AutoLearnError

Measured = Mapping[str, float | Mapping[str, float]]  # by name in GAUGES; those of LABELS by the value of their label

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

GAUGES = {
    "log_position": "Position of the log's last event",
    "projection_lag_events": "Events that the read models have not folded in",
    "projection_lag_seconds": "Age of the oldest event that the read models have not folded in",
    "projection_fault": "1 where the projection stands still because of an error",
    "communications": "Records of the audit log",
    "stores_answer": "0 where the log and the read models cannot be asked; then the figures about them are old",
    "relay_lag_events": "Events that are not in the topic yet: what a loss of the whole database would lose",
    "relay_lag_seconds": "Age of the oldest event that is not in the topic yet",
    "relay_fault": "1 where the relay stands still because of an error",
    "relay_position": "Position of the last event in the topic",
    "relay_communications_lag": "Audit records that are not in their topic yet",
    "relay_communications_lag_seconds": "Age of the oldest audit record that is not in its topic yet",
    "relay_communications_fault": "1 where the relay of the audit log stands still because of an error",
    "relay_communications_position": "Position of the last audit record in the topic",
    "relay_replicas": "Replicas of the topic of events; 0 where no relay has said it yet",
    "relay_communications_replicas": "Replicas of the topic of the audit log; 0 where no relay has said it yet",
    "projection_position": "Position of the last event in the read models",
    "in_charge": "1 where this process does this work, 0 where it stands by",
    "followed_position": "Position of the last event that the event worker has followed",
    "backup_age_seconds": "Seconds since the last finished back-up; +Inf where there was none",
    "starting": "1 while the process waits for what it needs",
    "tasks_running": "Tasks that run in this process",
}
LABELS = {"in_charge": "work"}


class Metrics:
    """One registry per app, so that several apps can live in one process."""

    def __init__(self, backend: Backend, lag: LagMeter) -> None:
        self._backend, self._lag = backend, lag
        self._registry = CollectorRegistry()
        labels = ("service", "operation")
        self._calls = Counter("autolearn_calls", "Calls", (*labels, "outcome"), registry=self._registry)
        self._seconds = Histogram("autolearn_call_seconds", "Seconds", labels, buckets=SECONDS, registry=self._registry)
        self._measured: Measured = {}

    def observe(self, service: str, operation: str, outcome: str, seconds: float) -> None:
        """Count one call."""
        self._calls.labels(service, operation, outcome).inc()
        self._seconds.labels(service, operation).observe(seconds)

    def page(self) -> bytes:
        """Return the exposition text, measured now."""
        measured: Measured = {}
        with suppress(AutoLearnError), self._backend.short_timeout():  # calls are told all the same
            measured = self._measure_stores()
        tasks = self._backend.application.tasks
        own = {"stores_answer": 1 if measured else 0, "tasks_running": len(tasks.list_running())}
        self._measured = {**self._measured, **measured, **own}
        families = task_families(tasks.figures, self._backend.clock.now())
        return generate_latest(self._registry) + exposition(self._measured, families)

    def _measure_stores(self) -> Measured:
        lag = self._lag.measure()
        recent = self._backend.audit_log.recent(0)
        own = {
            "log_position": lag.log_position,
            "projection_lag_events": lag.events,
            "projection_lag_seconds": lag.seconds,
            "projection_fault": 0 if self._backend.fault() is None else 1,
            "communications": recent[-1].position if recent else 0,
        }
        return {**own, **self._backend.gauges()}


class _Given(Collector):
    """What was measured already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = [*families]

    def collect(self) -> Iterable[Metric]:
        """Return it."""
        return self._families


def exposition(measured: Measured, families: Iterable[Metric]) -> bytes:
    """Return gauges and families in Prometheus' text format, with what the process measures of itself."""
    registry = CollectorRegistry()
    registry.register(_Given([*_gauges(measured), *families]))
    return generate_latest(REGISTRY) + generate_latest(registry)


def _gauges(measured: Measured) -> Iterator[Metric]:
    for name, value in measured.items():
        if isinstance(value, Mapping):
            family = GaugeMetricFamily(f"autolearn_{name}", GAUGES[name], labels=[LABELS[name]])
            for label, one in value.items():
                family.add_metric([label], one)
            yield family
        else:
            yield GaugeMetricFamily(f"autolearn_{name}", GAUGES[name], value)


def task_families(figures: TaskFigures, now: datetime) -> Iterator[Metric]:
    """Yield what is known of tasks in figures, by kind."""
    waiting = [*figures.waiting()]
    number = GaugeMetricFamily("autolearn_tasks_waiting", "Tasks that wait for a slot", labels=["kind"])
    oldest = GaugeMetricFamily(
        "autolearn_oldest_waiting_seconds", "Age of the task that waits for longest", labels=["kind"]
    )
    for kind in sorted({kind for kind, _ in waiting}):
        times = [since for other, since in waiting if other == kind]
        number.add_metric([kind], len(times))
        oldest.add_metric([kind], max((now - min(times)).total_seconds(), 0.0))
    yield from (number, oldest)
    yield _counter("task_attempts", "Attempts that this process began", ["kind", "attempt"], figures.attempts)
    yield _counter("tasks_taken_over", "Those of tasks that another process had lost", ["kind"], figures.taken_over)
    yield _counter("tasks_lost", "Tasks that failed as their last attempt was lost", ["kind"], figures.lost)


def _counter(name: str, meaning: str, labels: list[str], counts: Count[str] | Count[tuple[str, int]]) -> Metric:
    family = CounterMetricFamily(f"autolearn_{name}", meaning, labels=labels)
    for key, number in counts.copy().items():
        family.add_metric([key] if isinstance(key, str) else [str(part) for part in key], number)
    return family
