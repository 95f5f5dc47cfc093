"""Metrics of this process for Prometheus: calls, their seconds, the lag of the read models, the archive's size."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from adapters.http.backend import Backend
from adapters.http.lag import Lag

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """One registry per app, so that several apps can live in one process."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._registry = CollectorRegistry()
        labels = ("service", "operation")
        self._calls = Counter("autolearn_calls", "Calls", (*labels, "outcome"), registry=self._registry)
        self._seconds = Histogram("autolearn_call_seconds", "Seconds", labels, buckets=SECONDS, registry=self._registry)
        self._gauges = {
            name: Gauge(f"autolearn_{name}", text, registry=self._registry)
            for name, text in (
                ("log_position", "Position of the log's last event"),
                ("projection_lag_events", "Events that the read models have not folded in"),
                ("projection_lag_seconds", "Age of the oldest event that the read models have not folded in"),
                ("projection_fault", "1 where the projection stands still because of an error"),
                ("communications", "Communications in the archive"),
            )
        }

    def observe(self, service: str, operation: str, outcome: str, seconds: float) -> None:
        """Count one call."""
        self._calls.labels(service, operation, outcome).inc()
        self._seconds.labels(service, operation).observe(seconds)

    def page(self) -> bytes:
        """Return the exposition text, measured now."""
        lag = Lag.of(self._backend)
        recent = self._backend.communications.recent(0)
        for name, value in (
            ("log_position", lag.head),
            ("projection_lag_events", lag.events),
            ("projection_lag_seconds", lag.seconds),
            ("projection_fault", 0 if self._backend.fault() is None else 1),
            ("communications", recent[-1].position if recent else 0),
        ):
            self._gauges[name].set(value)
        return generate_latest(self._registry)
