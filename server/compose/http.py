"""The HTTP side put together: the application of a process, by its roles, and the server that it runs in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING

from adapters.host.shutdown import ShutdownRequest
from adapters.host.sockets import Listener
from adapters.http.metrics import task_families
from adapters.http.routes.process_health import ProcessHealth, make_health_app
from adapters.http.routes.starting import Starting
from adapters.serving.http_server import serve
from server.compose.services import Services
from server.settings import Settings

if TYPE_CHECKING:
    from server.runner import Serve


@contextmanager
def answering_health(settings: Settings, starting: Starting, listener: Listener) -> Iterator[None]:
    """Answer for a process that starts, in a thread; whoever connects after that is kept until the process serves."""
    listener.open()
    ending = ShutdownRequest()
    with listener.shared() as shared:
        answer = partial(
            serve,
            starting.make_app(),
            shared,
            ending,
            lambda: None,
            connections=settings.connections,
            proxies=settings.proxy_networks,
        )
        thread = Thread(target=answer, name="health of the start", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ending.make()
            thread.join()


def serve_calls(settings: Settings, services: Services) -> Serve:
    """Return what answers the calls of the services that a process serves."""

    def answer(listener: Listener, shutdown: ShutdownRequest, stop: Callable[[], object]) -> None:
        from adapters.http.app import make_app  # noqa: PLC0415 - FastAPI, once all that may be refused is checked

        app = make_app(services.backend, services.roles.serve)
        serve(
            app,
            listener,
            shutdown,
            stop,
            connections=settings.connections,
            proxies=settings.proxy_networks,
            refused=app.refuse_connection,
        )

    return answer


def serve_health(settings: Settings, parts: Sequence[ProcessHealth]) -> Serve:
    """Return what tells how a process is that answers no calls."""

    def answer(listener: Listener, shutdown: ShutdownRequest, stop: Callable[[], object]) -> None:
        app = make_health_app(ProcessHealth.joined(parts))
        serve(app, listener, shutdown, stop, connections=settings.connections, proxies=settings.proxy_networks)

    return answer


def health_of_work(
    services: Services,
    log_end: Callable[[], object],
    short_timeout: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> ProcessHealth:
    """Return what a process tells that only does tasks: ready once it has taken over what was unfinished.

    It follows the topic, so only the question for the log's end (`log_end`) tells that MongoDB is away.
    """
    worker, tasks, clock = services.worker, services.application.tasks, services.application.ports.clock
    blobs = services.application.ports.blobs

    def fault() -> str | None:
        log_end()
        return worker.fault or blobs.fault

    return ProcessHealth(
        ", ".join(f"work {service}" for service in services.roles.work),
        fault=fault,
        measure=lambda: {"tasks_running": len(tasks.list_running()), "followed_position": worker.position},
        short_timeout=short_timeout,
        families=lambda: task_families(tasks.figures, clock.now()),
    )
