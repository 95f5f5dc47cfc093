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

PROBES = frozenset({"/health/live", "/health/ready", "/metrics"})  # asked by addresses and names that nobody lists
OPEN = PROBES | {"/docs", "/openapi.json"}


@dataclass(frozen=True)
class PolicyRow:
    """One route: its service, method, template and the roles that may call it.

    `upload`: the body is a raw file and not JSON; with `row`, it can be JSON, too. `raw`: the answer is a raw file.
    """

    service: str
    method: str
    template: str
    roles: frozenset[Role]
    upload: bool = False
    raw: bool = False
    row: bool = False

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
    PolicyRow("catalog", "GET", "/catalog", EVERY),
    PolicyRow("catalog", "GET", "/catalog/models", EVERY),
    PolicyRow("catalog", "GET", "/catalog/models/{name}", EVERY),
    PolicyRow("catalog", "GET", "/catalog/datasets", EVERY),
    PolicyRow("catalog", "GET", "/catalog/datasets/{name}", EVERY),
    PolicyRow("catalog", "GET", "/catalog/datasets/{name}/profile", EVERY),
    PolicyRow("catalog", "GET", "/catalog/measures", EVERY),
    PolicyRow("catalog", "GET", "/catalog/measures/{name}", EVERY),
    PolicyRow("catalog", "POST", "/catalog/datasets", EVERY, upload=True),
    PolicyRow("catalog", "POST", "/catalog/datasets/{name}/retirement", EVERY),
    PolicyRow("catalog", "POST", "/catalog/models/{name}/withdrawal", SYSADMIN),
    PolicyRow("catalog", "POST", "/catalog/measures/{name}/withdrawal", SYSADMIN),
    PolicyRow("training", "POST", "/trainings", ANALYST),
    PolicyRow("training", "GET", "/trainings/{id}", EVERY),
    PolicyRow("training", "GET", "/trainings/{id}/events", EVERY),
    PolicyRow("training", "DELETE", "/trainings/{id}", EVERY),
    PolicyRow("training", "POST", "/searches", ANALYST),
    PolicyRow("training", "GET", "/searches", EVERY),
    PolicyRow("training", "GET", "/searches/{id}", EVERY),
    PolicyRow("training", "DELETE", "/searches/{id}", EVERY),
    PolicyRow("evaluation", "POST", "/evaluations", EVERY),
    PolicyRow("evaluation", "GET", "/evaluations/{id}", EVERY),
    PolicyRow("evaluation", "GET", "/evaluations/{id}/events", EVERY),
    PolicyRow("evaluation", "DELETE", "/evaluations/{id}", EVERY),
    PolicyRow("session", "GET", "/session", EVERY),
    PolicyRow("session", "POST", "/session/commit", ANALYST),
    PolicyRow("session", "POST", "/session/discard", ANALYST),
    PolicyRow("storage", "GET", "/experiments", EVERY),
    PolicyRow("storage", "GET", "/experiments/{id}", EVERY),
    PolicyRow("storage", "GET", "/experiments/{id}/model", EVERY, raw=True),
    PolicyRow("storage", "GET", "/experiments/{id}/report", EVERY),
    PolicyRow("storage", "POST", "/experiments/{id}/annotations", EVERY),
    PolicyRow("storage", "POST", "/experiments/{id}/withdrawal", EVERY),
    PolicyRow("storage", "POST", "/experiments/{id}/restoration", EVERY),
    PolicyRow("storage", "POST", "/experiments/{id}/reproductions", EVERY),
    PolicyRow("storage", "GET", "/reproductions/{id}", EVERY),
    PolicyRow("storage", "GET", "/reproductions/{id}/events", EVERY),
    PolicyRow("storage", "DELETE", "/reproductions/{id}", EVERY),
    PolicyRow("storage", "POST", "/predictions", EVERY, upload=True, raw=True, row=True),
    PolicyRow("storage", "GET", "/predictions", EVERY),
    PolicyRow("storage", "GET", "/predictions/{id}", EVERY),
    PolicyRow("storage", "POST", "/predictions/{id}/checks", EVERY, upload=True, row=True),
    PolicyRow("storage", "GET", "/positions", EVERY),
    PolicyRow("storage", "GET", "/events", EVERY),
    PolicyRow("storage", "GET", "/log", SYSADMIN),
    PolicyRow("storage", "GET", "/log/events", SYSADMIN),
    PolicyRow("storage", "GET", "/replay", SYSADMIN),
    PolicyRow("storage", "POST", "/verifications", SYSADMIN),
    PolicyRow("storage", "POST", "/rebuilds", SYSADMIN),
    PolicyRow("storage", "GET", "/clients", SYSADMIN),
    PolicyRow("storage", "POST", "/clients", SYSADMIN),
    PolicyRow("storage", "POST", "/clients/{name}/rotation", SYSADMIN),
    PolicyRow("storage", "POST", "/clients/{name}/revocation", SYSADMIN),
)


def row_for(method: str, path: str) -> PolicyRow | None:
    """Return the row of a call, or None: then it is refused."""
    return next((row for row in POLICY if row.method == method and row.pattern.fullmatch(path)), None)
