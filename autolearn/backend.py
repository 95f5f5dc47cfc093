"""The backend as an object of this process: its methods are named as the commands of the command line."""

from __future__ import annotations

from pathlib import Path

from autolearn.client import make_client
from autolearn.methods.catalog import CatalogMethods
from autolearn.methods.clients import ClientMethods
from autolearn.methods.history import HistoryMethods
from autolearn.methods.predictions import PredictionMethods
from autolearn.methods.sessions import SessionMethods
from autolearn.methods.sysadmin import SysadminMethods
from autolearn.methods.tasks import TaskMethods


class Backend(
    CatalogMethods,
    TaskMethods,
    SessionMethods,
    HistoryMethods,
    PredictionMethods,
    SysadminMethods,
    ClientMethods,
):
    """A backend, asked and commanded in the name of one client. `client` makes single calls of any route."""

    def __repr__(self) -> str:
        return f"Backend({self.client.url!r}, client={self.client.credentials.client!r})"


def connect(url: str | None = None, *, credentials: str | Path | None = None) -> Backend:
    """Return the backend at `url`, for whom the file `credentials` speaks; nothing is sent yet.

    By default both are those of the command line: AUTOLEARN_URL or this machine, and AUTOLEARN_CREDENTIALS or the
    credentials of the data directory. Raises InvalidInputError, MissingCredentialsError, UnreachableError.
    """
    return Backend(make_client(url, credentials))
