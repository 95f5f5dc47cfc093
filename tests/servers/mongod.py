"""A MongoDB of a test's own: a replica set of one node."""

from __future__ import annotations

from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from tests.servers import places
from tests.servers.process import Server

NOT_YET_INITIALIZED = 94


class MongoServer(Server):
    """mongod with the journal on, and the smallest cache it takes."""

    def __init__(self, folder: Path, program: Path | None = None) -> None:
        super().__init__(folder)
        self.program = program or places.mongod()

    @property
    def url(self) -> str:
        """A URI."""
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true"

    def command(self) -> list[str]:
        """Return mongod's command line."""
        (self.folder / "data").mkdir(exist_ok=True)
        return [
            str(self.program),
            *("--dbpath", str(self.folder / "data"), "--port", str(self.port), "--bind_ip", "127.0.0.1"),
            *("--replSet", "rs0", "--oplogSize", "512", "--wiredTigerCacheSizeGB", "0.25", "--nounixsocket", "--quiet"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]

    def answers(self) -> bool:
        """Tell whether the node is the primary; make it one at its first start."""
        client: MongoClient[dict[str, object]] = MongoClient(self.url, serverSelectionTimeoutMS=1000)
        try:
            client.admin.command("replSetGetStatus")
            return bool(client.admin.command("hello")["isWritablePrimary"])
        except OperationFailure as refused:
            if refused.code == NOT_YET_INITIALIZED:
                only = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
                client.admin.command("replSetInitiate", {"_id": "rs0", "members": [only]})
            return False
        except PyMongoError:
            return False
        finally:
            client.close()
