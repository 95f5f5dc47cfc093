"""The ends of log and audit log in a data directory: checked before anything is written, and a loss accepted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from adapters.embedded.directory.receipts import AUDIT, LOG, Ends, read_receipts, write_receipts
from commands.storage.accept_loss import AcceptLoss
from commands.unit_of_work import load
from domain.errors import BadInputError, NotAbleError
from domain.loss import LOSSES, Losses
from domain.values import checked_text
from projections.verification.log_ends import (
    Claim,
    Tail,
    check_same,
    check_tails,
    claims_of_records,
    contradictions,
    end_of_audit,
    end_of_log,
    tail_of,
)
from server.startup import system_call

if TYPE_CHECKING:
    from adapters.audit_log.system_records import ArchivedJournal
    from adapters.host.directory_lock import DirectoryLock
    from commands.application import Application
    from server.compose.stores import Stores

WAY_OUT = "autolearn up --accept-loss REASON"


@dataclass(frozen=True, slots=True)
class Tails:
    """What was found of both, before this process wrote anything."""

    log: Tail
    audit: Tail

    @property
    def are_lost(self) -> bool:
        """Whether an end is missing."""
        return self.log.is_lost or self.audit.is_lost


def ends_of(stores: Stores) -> Ends:
    """Return where log and audit log end, for `receipts.json`."""
    return {LOG: end_of_log(stores.feed), AUDIT: end_of_audit(stores.communications)}


def ends_in_place(lock: DirectoryLock, stores: Stores) -> Ends:
    """Return the same; raises NotAbleError where the directory was taken away: what is at its path is another one."""
    gone = lock.taken_away()
    if gone is not None:
        raise NotAbleError(f"{gone} is not the one that is served any more.")
    return ends_of(stores)


def checked_tails(stores: Stores, folder: Path, accept_loss: str | None) -> Tails:
    """Return the ends, whole or accepted as they are. Raises ConflictError, or BadInputError where nothing is lost."""
    if accept_loss is not None:
        checked_text("reason", accept_loss)
    tails = _found(stores, folder)
    if accept_loss is None:
        check_tails(tails.log, tails.audit, way_out=WAY_OUT)
    elif not tails.are_lost:
        raise BadInputError("Nothing of the log is lost: start without --accept-loss.")
    return tails


def accept(
    tails: Tails, reason: str, *, stores: Stores, folder: Path, application: Application, journal: ArchivedJournal
) -> None:
    """Keep in the log what was lost and why it is accepted; then the evidence may go."""
    start = uuid4().hex
    journal.started(start, tails.log.end.position)
    command = AcceptLoss(reason, tails.log.fact(), tails.audit.fact(), (*tails.log.evidence, *tails.audit.evidence))
    application.handle(command, system_call("loss", start))
    write_receipts(folder, {name: (end.position, end.hash) for name, end in ends_of(stores).items()})
    (folder / "positions.json").unlink(missing_ok=True)  # `local` would wait for positions that are gone


def _found(stores: Stores, folder: Path) -> Tails:
    receipts = read_receipts(folder)  # before the ends: what is appended meanwhile is beyond it
    log, audit = end_of_log(stores.feed), end_of_audit(stores.communications)
    losses = load(stores.store, Losses, LOSSES).accepted
    of_log = claims_of_records(stores.communications.recent(0), log, losses)
    with suppress(NotAbleError):  # damage is for `verify` to tell and for `rebuild` to mend
        of_log.append(Claim("the read models are at", max(stores.documents.positions().values())))
    of_audit = []
    if LOG in receipts:
        of_log.append(Claim("receipts.json has the log at", *receipts[LOG]))
    if AUDIT in receipts:
        of_audit.append(Claim("receipts.json has the audit log at", *receipts[AUDIT]))
    if log.position:
        of_audit.append(Claim("the log has commits, and each has its call: there was a record", 1))
    check_same([*contradictions(log, of_log), *contradictions(audit, of_audit)])
    return Tails(tail_of(log, of_log), tail_of(audit, of_audit))
