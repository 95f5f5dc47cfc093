"""Metrics of this process for Prometheus: calls, their seconds, the lag of the read models, the audit log's size."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from adapters.http.backend import Backend
from adapters.http.read_model_lag import LagMeter
from domain.errors import AutoLearnError

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

GAUGES = {
    "log_position": "Position of the log's last event",
    "projection_lag_events": "Events that the read models have not folded in",
    "projection_lag_seconds": "Age of the oldest event that the read models have not folded in",
    "projection_fault": "1 where the projection stands still because of an error",
    "communications": "Records of the audit log",
    "stores_answer": "0 where the log and the read models cannot be asked; then the figures about them are old",
    "relay_lag_events": "Events that are not in the topic yet: what a loss of the whole database would lose",
    "relay_fault": "1 where the relay stands still because of an error",
    "relay_position": "Position of the last event in the topic",
    "relay_communications_lag": "Audit records that are not in their topic yet",
    "relay_communications_fault": "1 where the relay of the audit log stands still because of an error",
    "relay_communications_position": "Position of the last audit record in the topic",
    "projection_position": "Position of the last event in the read models",
    "in_charge": "1 where this process does the work, 0 where it stands by",
    "followed_position": "Position of the last event that the event worker has followed",
    "backup_age_seconds": "Seconds since the last finished back-up; +Inf where there was none",
    "tasks_running": "Tasks that run in this process",
}


class Metrics:
    """One registry per app, so that several apps can live in one process."""

    def __init__(self, backend: Backend, lag: LagMeter) -> None:
        self._backend, self._lag = backend, lag
        self._registry = CollectorRegistry()
        labels = ("service", "operation")
        self._calls = Counter("autolearn_calls", "Calls", (*labels, "outcome"), registry=self._registry)
        self._seconds = Histogram("autolearn_call_seconds", "Seconds", labels, buckets=SECONDS, registry=self._registry)
        self._gauges: dict[str, Gauge] = {}

    def observe(self, service: str, operation: str, outcome: str, seconds: float) -> None:
        """Count one call."""
        self._calls.labels(service, operation, outcome).inc()
        self._seconds.labels(service, operation).observe(seconds)

    def page(self) -> bytes:
        """Return the exposition text, measured now."""
        measured: Mapping[str, float] = {}
        with suppress(AutoLearnError), self._backend.short_timeout():  # calls are told all the same
            measured = self._measure_stores()
        for name, value in {**measured, "stores_answer": 1 if measured else 0}.items():
            if name not in self._gauges:
                self._gauges[name] = Gauge(f"autolearn_{name}", GAUGES[name], registry=self._registry)
            self._gauges[name].set(value)
        return generate_latest(self._registry)

    def _measure_stores(self) -> Mapping[str, float]:
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
