"""What is wrong with the way to MongoDB is told in one sentence, with no reply of the server and no password."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from pymongo.errors import BulkWriteError

from adapters.distributed.deployment import check_deployment
from adapters.distributed.mongo import Mongo, as_ours
from adapters.distributed.mongo_reasons import short_text
from cli import exit_codes
from domain.errors import AutoLearnError, BadInputError, ForbiddenError, NotAbleError
from tests.servers.certificates import Authority
from tests.servers.fixtures import own
from tests.servers.secured import PASSWORD, SecuredMongo

pytestmark = pytest.mark.slow

MONGODB = "MongoDB (AUTOLEARN_MONGODB)"
GUESSED = "guessed"
ENDS = {ForbiddenError: exit_codes.NOT_ALLOWED, NotAbleError: exit_codes.NOT_ABLE}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredMongo]:
    with own(SecuredMongo, tmp_path_factory.mktemp("secured") / "mongodb") as server:
        assert isinstance(server, SecuredMongo)
        server.add_user("ana", "a", {"installation": ["find"]})
        yield server


def of_ana(secured: SecuredMongo) -> str:
    return secured.uri("ana", PASSWORD)


def wrong_password(secured: SecuredMongo) -> str:
    return secured.uri("ana", GUESSED)


def another_auth_source(secured: SecuredMongo) -> str:
    return f"{of_ana(secured)}&authSource=a"


def no_password(secured: SecuredMongo) -> str:
    return secured.uri()


def unknown_authority(secured: SecuredMongo) -> str:
    known, other = secured.authority.certificate, Authority(secured.folder / "others", "others").certificate
    return of_ana(secured).replace(quote(str(known), safe=""), quote(str(other), safe=""))


def host_of_no_certificate(secured: SecuredMongo) -> str:
    return of_ana(secured).replace("127.0.0.1", "localhost")


def plain_at_tls(secured: SecuredMongo) -> str:
    return re.sub("&tls=.*", "", of_ana(secured))


def unknown_host(secured: SecuredMongo) -> str:
    return of_ana(secured).replace("127.0.0.1", "no-such-host.invalid")


def another_replica_set(secured: SecuredMongo) -> str:
    return of_ana(secured).replace("directConnection=true", "replicaSet=others")


@pytest.mark.parametrize(
    ("uri", "kind", "told"),
    [
        (wrong_password, ForbiddenError, f"{MONGODB} does not accept this user or this password: check both"),
        (another_auth_source, ForbiddenError, "and authSource in the URI."),
        (no_password, ForbiddenError, f"{MONGODB} asks for a user and a password: give them in the URI"),
        (unknown_authority, NotAbleError, f"The certificate of {MONGODB} is not trusted: tlsCAFile must name the file"),
        (host_of_no_certificate, NotAbleError, "and the URI the host that it was made for."),
        (plain_at_tls, NotAbleError, f"{MONGODB} ends each connection at once: it may want TLS (tls=true in the URI)"),
        (unknown_host, NotAbleError, "is at 'no-such-host.invalid:"),
        (another_replica_set, NotAbleError, f"{MONGODB} has no replica set 'others': correct replicaSet in the URI"),
    ],
)
def test_each_reason_has_its_sentence(
    secured: SecuredMongo, uri: Callable[[SecuredMongo], str], kind: type[AutoLearnError], told: str
) -> None:
    mongo = Mongo(uri(secured), "a")
    with pytest.raises(AutoLearnError) as refused:
        check_deployment(mongo, make=False)
    mongo.close()
    assert told in refused.value.sentence
    assert (type(refused.value), exit_codes.of_error(refused.value)) == (kind, ENDS[kind])
    check_no_reply(refused.value)


def check_no_reply(refused: AutoLearnError) -> None:
    for foreign in ("errmsg", "clusterTime", "Topology", "{", GUESSED, PASSWORD):
        assert foreign not in refused.sentence


def test_tls_at_a_server_without_it(mongodb: str) -> None:
    mongo = Mongo(f"{mongodb}&tls=true", "a")
    with pytest.raises(NotAbleError, match=r"does not speak TLS, or .* leave out tls=true") as refused:
        check_deployment(mongo)
    mongo.close()
    check_no_reply(refused.value)


def test_a_missing_right_is_named(secured: SecuredMongo) -> None:
    mongo = Mongo(of_ana(secured), "a")
    check_deployment(mongo, make=False)
    with pytest.raises(NotAbleError) as later, as_ours():  # given while we run, it is there at the next call
        mongo.collection("commits").insert_one({})
    assert later.value.sentence == f"{MONGODB} does not let this user insert on a.commits: it needs this right."
    with (
        pytest.raises(NotAbleError, match=r"does not let this user dbStats on the database a: it") as of_all,
        as_ours(),
    ):
        mongo.database.command("dbStats")
    with pytest.raises(ForbiddenError, match=r"does not let this user find on a\.commits: it needs this right\."):
        check_deployment(mongo)
    mongo.close()
    check_no_reply(later.value)
    check_no_reply(of_all.value)


def test_the_password_comes_from_a_file(secured: SecuredMongo, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    file.chmod(0o600)
    mongo = Mongo(secured.uri("ana"), "a", password_file=file)
    check_deployment(mongo, make=False)
    mongo.close()


@pytest.mark.parametrize(
    ("uri", "content", "mode", "told"),
    [
        ("mongodb://ana@a/", None, 0o600, "cannot be read"),
        ("mongodb://ana@a/", "\n", 0o600, "is empty: it must hold the password"),
        ("mongodb://ana@a/", GUESSED, 0o640, "Others can read .*chmod 600"),
        ("mongodb://a/?x=y@z", GUESSED, 0o600, "AUTOLEARN_MONGODB names no user: mongodb://USER@HOST"),
        (f"mongodb://ana:{GUESSED}@a/", GUESSED, 0o600, "AUTOLEARN_MONGODB has a password, too"),
    ],
)
def test_a_password_file_that_does_not_fit_is_refused(
    tmp_path: Path, uri: str, content: str | None, mode: int, told: str
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    with pytest.raises(BadInputError, match=f"^AUTOLEARN_MONGODB_PASSWORD_FILE.*{told}") as refused:
        Mongo(uri, "a", password_file=file)
    assert GUESSED not in refused.value.sentence


def test_a_file_of_an_option_that_is_not_there_is_bad_input() -> None:
    with pytest.raises(BadInputError, match="AUTOLEARN_MONGODB"):
        Mongo("mongodb://127.0.0.1:1/?tls=true&tlsCAFile=/no/such/file", "a")


def test_of_many_writes_the_first_refused_one_is_told() -> None:
    failed = BulkWriteError({"writeErrors": [{"errmsg": "it does not fit", "code": 121}], "n": 0})
    assert short_text(failed) == "it does not fit"
