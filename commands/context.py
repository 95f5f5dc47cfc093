"""What a use case gets beside its command."""

from __future__ import annotations

from dataclasses import dataclass

from commands.command_appends import CommandAppends
from commands.tasks import Tasks


@dataclass(kw_only=True)
class CommandContext(CommandAppends):
    """One running command: the ports, its call, its appends, the tasks of this process.

    `wait`: how many seconds the call waits for the end of its task.
    """

    tasks: Tasks
    wait: float = 0.0
