"""The roles that a process may have, alone or together: `serve` and `work` of some services, `relay`, `project`."""

from __future__ import annotations

from dataclasses import dataclass

SERVICES = ("catalog", "training", "evaluation", "session", "storage")


@dataclass(frozen=True)
class Roles:
    """`serve`: the services whose calls are answered; `work`: those whose queued and lost tasks are done."""

    serve: tuple[str, ...] = ()
    work: tuple[str, ...] = ()
    relay: bool = False
    project: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the words of the command line for each, such as `serve training`."""
        services = [
            (role, service) for role, given in (("serve", self.serve), ("work", self.work)) for service in given
        ]
        followers = [name for name, has in (("relay", self.relay), ("project", self.project)) if has]
        return (*(f"{role} {service}" for role, service in services), *followers)


ALL = Roles(SERVICES, SERVICES, relay=True, project=True)
NONE = Roles()
