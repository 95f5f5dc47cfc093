"""Health and metrics of a process that answers no calls (`work`, `relay`, `project`), plain, on its own port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.http.metrics import Measured, exposition
from adapters.http.routes.health import Exposition, for_strangers, remarked
from domain.errors import AutoLearnError


@dataclass(frozen=True)
class ProcessHealth:
    """What such a process tells: `fault` in one sentence, `measure` its gauges, named as in `metrics.GAUGES`.

    `remark`: what somebody should see to though everything works.

    Within `short_timeout` the stores answer soon or refuse.
    Of a fault only what `for_strangers` leaves is told.
    """

    kind: str
    fault: Callable[[], str | None]
    measure: Callable[[], Measured]
    short_timeout: Callable[[], AbstractContextManager[None]] = nullcontext
    families: Callable[[], Iterable[Metric]] = tuple
    remark: Callable[[], str | None] = lambda: None

    @classmethod
    def joined(cls, parts: Sequence[ProcessHealth]) -> ProcessHealth:
        """Return that of a process with several roles: the first fault, all gauges."""
        if len(parts) == 1:
            return parts[0]

        def fault() -> str | None:
            return next((found for part in parts if (found := part.fault())), None)

        def measure() -> Measured:
            """Merge all gauges; one with a label has what each part knows of it."""
            found: dict[str, float | Mapping[str, float]] = {}
            for name, value in (it for part in parts for it in part.measure().items()):
                known = found.get(name)
                found[name] = {**known, **value} if isinstance(known, Mapping) and isinstance(value, Mapping) else value
            return found

        def families() -> Iterable[Metric]:
            return (family for part in parts for family in part.families())

        def remark() -> str | None:
            return next((found for part in parts if (found := part.remark())), None)

        kind, timeout = ", ".join(part.kind for part in parts), parts[0].short_timeout
        return cls(kind, fault, measure, timeout, families, remark)

    def readiness(self) -> dict[str, object]:
        """Return status, kind, the gauges and the fault."""
        try:
            with self.short_timeout():
                facts, fault = dict(self.measure()), self.fault()
                more = remarked(self.remark())
        except AutoLearnError as trouble:
            facts, fault, more = {}, trouble.sentence, {}
        status = "ready" if fault is None else "not-ready"
        return {"status": status, "kind": self.kind, **facts, "fault": for_strangers(fault), **more}

    def page(self) -> bytes:
        """Return the gauges in Prometheus' text format, measured now; what cannot be measured is left out."""
        measured: Measured = {}
        with suppress(AutoLearnError), self.short_timeout():
            measured = self.measure()
        return exposition(measured, self.families())


def make_health_app(health: ProcessHealth) -> Starlette:
    """Return the application with the three routes that every process has."""

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_: Request) -> Response:
        facts = await run_in_threadpool(health.readiness)
        return JSONResponse(facts, 200 if facts["status"] == "ready" else 503)

    async def metrics(_: Request) -> Response:
        return Exposition(await run_in_threadpool(health.page))

    return Starlette(routes=[Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics)])
