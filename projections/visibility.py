"""Who may see what: committed experiments and the catalog are for every client, all else is its owner's alone."""

from __future__ import annotations

from dataclasses import dataclass

from domain.lookup import may_see
from projections.ports import Body


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: the client's id and its roles of today, which also count for questions about the past."""

    client: str
    roles: tuple[str, ...] = ()

    @property
    def is_sysadmin(self) -> bool:
        return "sys-admin" in self.roles

    def may_see(self, experiment: Body) -> bool:
        """Whether an experiment, as it stands today, may be seen, its past included."""
        return may_see(self.client, experiment["owner"], experiment["standing"])
