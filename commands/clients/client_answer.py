"""What the commands on clients answer."""

from __future__ import annotations

from commands.answers import answer_at
from commands.call import Answer
from commands.context import CommandContext
from commands.ports import Receipt
from commands.unit_of_work import load
from domain.client import Client


def answer_client(_: object, receipt: Receipt, context: CommandContext) -> Answer:
    """Answer with the client as of the append; its key is derived elsewhere and never part of the log."""
    client = load(context.ports.store, Client, receipt.events[0].originator_id, receipt.position)
    body = {
        "client": client.name,
        "roles": list(client.roles),
        "generation": client.generation,
        "revoked": client.revoked,
    }
    return answer_at(receipt, body)
