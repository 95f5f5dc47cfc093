"""The policy: who may call what. A route without a row here is closed (403); a test walks every route."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from starlette.routing import compile_path

from domain.values import Role

ANALYST: frozenset[Role] = frozenset({"analyst"})
SYSADMIN: frozenset[Role] = frozenset({"sys-admin"})
EVERY: frozenset[Role] = ANALYST | SYSADMIN

OPEN = frozenset({"/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"})


@dataclass(frozen=True)
class Row:
    """One route: its service, method, template and the roles that may call it.

    `upload`: the body is a raw file and not JSON. `raw`: so is the answer.
    """

    service: str
    method: str
    template: str
    roles: frozenset[Role]
    upload: bool = False
    raw: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return compile_path(self.template)[0]

    @property
    def operation(self) -> str:
        """Its name in the audit log: never the raw URL."""
        return f"{self.method} {self.template}"

    @property
    def is_command(self) -> bool:
        return self.method != "GET"


POLICY = (
    Row("catalog", "GET", "/catalog", EVERY),
    Row("catalog", "GET", "/catalog/models", EVERY),
    Row("catalog", "GET", "/catalog/models/{name}", EVERY),
    Row("catalog", "GET", "/catalog/datasets", EVERY),
    Row("catalog", "GET", "/catalog/datasets/{name}", EVERY),
    Row("catalog", "GET", "/catalog/measures", EVERY),
    Row("catalog", "GET", "/catalog/measures/{name}", EVERY),
    Row("catalog", "POST", "/catalog/datasets", EVERY, upload=True),
    Row("catalog", "POST", "/catalog/datasets/{name}/retirement", EVERY),
    Row("catalog", "POST", "/catalog/models/{name}/withdrawal", SYSADMIN),
    Row("catalog", "POST", "/catalog/measures/{name}/withdrawal", SYSADMIN),
    Row("training", "POST", "/trainings", ANALYST),
    Row("training", "GET", "/trainings/{id}", EVERY),
    Row("training", "GET", "/trainings/{id}/events", EVERY),
    Row("training", "DELETE", "/trainings/{id}", EVERY),
    Row("evaluation", "POST", "/evaluations", EVERY),
    Row("evaluation", "GET", "/evaluations/{id}", EVERY),
    Row("evaluation", "GET", "/evaluations/{id}/events", EVERY),
    Row("evaluation", "DELETE", "/evaluations/{id}", EVERY),
    Row("session", "GET", "/session", EVERY),
    Row("session", "POST", "/session/commit", ANALYST),
    Row("session", "POST", "/session/discard", ANALYST),
    Row("storage", "GET", "/experiments", EVERY),
    Row("storage", "GET", "/experiments/{id}", EVERY),
    Row("storage", "GET", "/experiments/{id}/model", EVERY, raw=True),
    Row("storage", "POST", "/experiments/{id}/annotations", EVERY),
    Row("storage", "POST", "/experiments/{id}/withdrawal", EVERY),
    Row("storage", "POST", "/experiments/{id}/restoration", EVERY),
    Row("storage", "POST", "/experiments/{id}/reproductions", EVERY),
    Row("storage", "GET", "/reproductions/{id}", EVERY),
    Row("storage", "GET", "/reproductions/{id}/events", EVERY),
    Row("storage", "DELETE", "/reproductions/{id}", EVERY),
    Row("storage", "GET", "/log", SYSADMIN),
    Row("storage", "GET", "/log/events", SYSADMIN),
    Row("storage", "GET", "/replay", SYSADMIN),
    Row("storage", "POST", "/verifications", SYSADMIN),
    Row("storage", "POST", "/rebuilds", SYSADMIN),
    Row("storage", "GET", "/clients", SYSADMIN),
    Row("storage", "POST", "/clients", SYSADMIN),
    Row("storage", "POST", "/clients/{name}/rotation", SYSADMIN),
    Row("storage", "POST", "/clients/{name}/revocation", SYSADMIN),
)


def row_for(method: str, path: str) -> Row | None:
    """Return the row of a call, or None: then it is refused."""
    return next((row for row in POLICY if row.method == method and row.pattern.fullmatch(path)), None)
