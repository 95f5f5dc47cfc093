"""Servers as a shared network needs them: TLS, passwords, rights. The test itself uses doors of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from confluent_kafka.admin import (  # type: ignore[attr-defined] # the package has types, and forgets __all__
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from adapters.host.private_files import UMASK
from tests.servers.certificates import Authority
from tests.servers.kafka import KafkaServer
from tests.servers.mongod import NOT_YET_INITIALIZED, MongoServer
from tests.servers.process import free_port

SECONDS = 60.0
ADMIN = "admin"
PASSWORD = "s3cret/of:tests@"
ROUNDS = 4096
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class SecuredKafka(KafkaServer):
    """A broker with three listeners: SASL_SSL (SCRAM-SHA-512), SSL, and PLAINTEXT for the test, who may do all."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.authority = Authority(folder / "certificates", "kafka")
        self.sasl_ssl, self.ssl = free_port(), free_port()
        doors = {"PLAINTEXT": self.port, "SASL_SSL": self.sasl_ssl, "SSL": self.ssl}
        listeners = ",".join(f"{name}://127.0.0.1:{port}" for name, port in doors.items())
        kinds = ",".join(f"{name}:{name}" for name in doors)
        self.more = {
            "listeners": f"{listeners},CONTROLLER://127.0.0.1:{self.controller}",
            "advertised.listeners": listeners,
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": f"CONTROLLER:PLAINTEXT,{kinds}",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.authority.server("kafka"),
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": SCRAM,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }

    @property
    def admin(self) -> AdminClient:
        """A client that may do all."""
        return AdminClient({"bootstrap.servers": self.url, "log_level": 0})

    def address(self, file: Path) -> str:
        """Return AUTOLEARN_KAFKA for a user whose name and password are in a file (`write_user`)."""
        return (
            f"127.0.0.1:{self.sasl_ssl}?security.protocol=SASL_SSL&sasl.mechanism=SCRAM-SHA-512"
            f"&ssl.ca.location={self.authority.certificate}&file={file}"
        )

    def add_user(self, name: str) -> Path:
        """Make a user without any right; return the file of properties with name and password."""
        credentials = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ROUNDS)
        wanted = UserScramCredentialUpsertion(name, credentials, PASSWORD.encode())
        admin = self.admin  # for as long as it is asked
        admin.alter_user_scram_credentials([wanted])[name].result(SECONDS)
        return write_user(self.folder / f"{name}.properties", name)

    def allow(self, user: str, kind: str, name: str, operation: str) -> None:
        """Give a right: `TOPIC`, its name, `READ`."""
        rule = rule_of(user, kind, name, operation)
        admin = self.admin
        admin.create_acls([rule])[rule].result(SECONDS)


def rule_of(user: str, kind: str, name: str, operation: str) -> AclBinding:
    """Return an access rule; Kafka's admin client calls a cluster a broker."""
    resource = ResourceType["BROKER" if kind == "CLUSTER" else kind]
    what = (resource, name, ResourcePatternType.LITERAL, f"User:{user}", "*")
    return AclBinding(*what, AclOperation[operation], AclPermissionType.ALLOW)


def write_user(file: Path, name: str, password: str = PASSWORD) -> Path:
    """Write the properties of a user."""
    file.write_text(f"sasl.username={name}\nsasl.password={password}\n")
    file.chmod(0o777 & ~UMASK & 0o600)
    return file


class SecuredMongo(MongoServer):
    """A replica set of one node with TLS, which lets nobody in without a password."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.authority = Authority(folder / "certificates", "mongodb")
        self.certificate = self.authority.server("mongodb")
        self._has_admin = False

    def command(self) -> list[str]:
        """Return mongod's command line, with TLS and the key by which members know each other."""
        key = self.folder / "members.key"
        if not key.exists():
            key.write_text("a2V5IG9mIHRoZSBtZW1iZXJz")
            key.chmod(0o600)
        tls = ("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(self.certificate))
        ca = ("--tlsCAFile", str(self.authority.certificate), "--tlsAllowConnectionsWithoutCertificates")
        return [*super().command(), *tls, *ca, "--auth", "--keyFile", str(key)]

    def uri(self, user: str | None = None, password: str | None = None) -> str:
        """Return AUTOLEARN_MONGODB for a user; without a password it is to come from elsewhere."""
        name = "" if user is None else quote(user, safe="")
        secret = "" if password is None else f":{quote(password, safe='')}"
        at = "" if user is None else "@"
        options = f"directConnection=true&tls=true&tlsCAFile={quote(str(self.authority.certificate), safe='')}"
        return f"mongodb://{name}{secret}{at}127.0.0.1:{self.port}/?{options}"

    @property
    def url(self) -> str:
        """The URI of the one who may do all."""
        return self.uri(ADMIN, PASSWORD)

    def answers(self) -> bool:
        """Tell whether the node is the primary; at its first start make it one, and its first user."""
        with MongoClient[dict[str, Any]](self.uri(), serverSelectionTimeoutMS=1000) as client:
            try:
                if not client.admin.command("hello").get("setName"):
                    only = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
                    client.admin.command("replSetInitiate", {"_id": "rs0", "members": [only]})
                if not client.admin.command("hello")["isWritablePrimary"]:
                    return False
                if not self._has_admin:  # whoever is first on loopback may make one
                    client.admin.command("createUser", ADMIN, pwd=PASSWORD, roles=["root"])
                    self._has_admin = True
            except OperationFailure as refused:
                if refused.code != NOT_YET_INITIALIZED:
                    raise
                return False
            except PyMongoError:
                return False
            return True

    def add_user(self, name: str, database: str, privileges: Mapping[str, list[str]]) -> None:
        """Make a user who may do in a database what `privileges` says, by collection ("": every one)."""
        granted = [
            {"resource": {"db": database, "collection": collection}, "actions": actions}
            for collection, actions in privileges.items()
        ]
        with MongoClient[dict[str, Any]](self.url) as client:
            client.admin.command("createRole", f"{name}-role", privileges=granted, roles=[])
            client.admin.command("createUser", name, pwd=PASSWORD, roles=[f"{name}-role"])
