"""What a process answers before it has what it needs: it lives, it is not ready and says why, and every call is 503."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.http.problems import problem_of
from adapters.http.routes.health import for_strangers
from adapters.http.routes.process_health import ProcessHealth, make_health_app
from autolearn.protocol.headers import PROBLEM
from domain.errors import NotAbleError


class Starting:
    """A process that starts. `kind`: its roles in words; `waits_for`: what is missing, in a sentence."""

    def __init__(self, kind: str) -> None:
        self.kind, self.waits_for = kind, "It is starting."

    def make_app(self) -> Starlette:
        """Return the application that answers meanwhile."""
        app = make_health_app(ProcessHealth(self.kind, lambda: self.waits_for, lambda: {"starting": 1}))
        app.router.default = self._refuse
        return app

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call so that nginx asks the next instance."""
        problem = problem_of(NotAbleError(f"This process is not ready yet: {for_strangers(self.waits_for)}"))
        await Response(problem.body, problem.status, problem.headers, PROBLEM)(scope, receive, send)
