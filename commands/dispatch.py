"""Every command of every service on one page: what may be asked, who decides, and what is answered. Read this first.

`decide` appends the command's events and returns the first append (None: nothing had to change);
`answer` reads from the log what that made, the same way for the first run and for every repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from commands.answers import answer_client, answer_experiment, answer_requested, answer_search
from commands.call import Answer
from commands.cancel_task import CancelTask, answer_cancelled, cancel_task
from commands.catalog.offer_catalog import OfferCatalog, answer_offered, offer_catalog
from commands.catalog.register_dataset import RegisterDataset, answer_registered, register_dataset
from commands.catalog.retire_dataset import RetireDataset, answer_retired, retire_dataset
from commands.catalog.withdraw_offer import WithdrawOffer, answer_offer_withdrawn, withdraw_offer
from commands.context import CommandContext
from commands.evaluation.request_evaluation import RequestEvaluation, request_evaluation
from commands.ports import StoredAppend
from commands.session.commit_session import CommitSession, answer_committed, commit_session
from commands.session.discard_session import DiscardSession, answer_discarded, discard_session
from commands.storage.accept_loss import AcceptLoss, accept_loss, answer_accepted
from commands.storage.add_client import AddClient, add_client
from commands.storage.annotate_experiment import AnnotateExperiment, annotate_experiment
from commands.storage.check_prediction import CheckPrediction, answer_checked, check_prediction
from commands.storage.export_onnx import ExportOnnx, answer_exported, export_onnx
from commands.storage.make_prediction import MakePrediction, answer_predicted, make_prediction
from commands.storage.request_reproduction import RequestReproduction, request_reproduction
from commands.storage.restore_experiment import RestoreExperiment, restore_experiment
from commands.storage.revoke_client import RevokeClient, revoke_client
from commands.storage.rotate_client import RotateClient, rotate_client
from commands.storage.withdraw_experiment import WithdrawExperiment, withdraw_experiment
from commands.training.cancel_search import CancelSearch, cancel_search
from commands.training.request_search import RequestSearch, request_search
from commands.training.request_training import RequestTraining, request_training


class UseCase(NamedTuple):
    decide: Callable[[Any, CommandContext], StoredAppend | None]
    answer: Callable[[Any, Any, CommandContext], Answer]


COMMANDS: dict[str, dict[type, UseCase]] = {
    "catalog": {
        RegisterDataset: UseCase(register_dataset, answer_registered),
        RetireDataset: UseCase(retire_dataset, answer_retired),
        OfferCatalog: UseCase(offer_catalog, answer_offered),
        WithdrawOffer: UseCase(withdraw_offer, answer_offer_withdrawn),
    },
    "training": {
        RequestTraining: UseCase(request_training, answer_requested),
        RequestSearch: UseCase(request_search, answer_search),
        CancelSearch: UseCase(cancel_search, answer_search),
        CancelTask: UseCase(cancel_task, answer_cancelled),
    },
    "evaluation": {
        RequestEvaluation: UseCase(request_evaluation, answer_requested),
        CancelTask: UseCase(cancel_task, answer_cancelled),
    },
    "session": {
        CommitSession: UseCase(commit_session, answer_committed),
        DiscardSession: UseCase(discard_session, answer_discarded),
    },
    "storage": {
        AnnotateExperiment: UseCase(annotate_experiment, answer_experiment),
        WithdrawExperiment: UseCase(withdraw_experiment, answer_experiment),
        RestoreExperiment: UseCase(restore_experiment, answer_experiment),
        RequestReproduction: UseCase(request_reproduction, answer_requested),
        CancelTask: UseCase(cancel_task, answer_cancelled),
        MakePrediction: UseCase(make_prediction, answer_predicted),
        ExportOnnx: UseCase(export_onnx, answer_exported),
        CheckPrediction: UseCase(check_prediction, answer_checked),
        AcceptLoss: UseCase(accept_loss, answer_accepted),
        AddClient: UseCase(add_client, answer_client),
        RotateClient: UseCase(rotate_client, answer_client),
        RevokeClient: UseCase(revoke_client, answer_client),
    },
}

USE_CASES: dict[type, UseCase] = {command: case for service in COMMANDS.values() for command, case in service.items()}
