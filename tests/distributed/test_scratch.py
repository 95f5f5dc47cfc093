"""Scratch folders of processes that died are swept; on one data directory, each installation sweeps its own alone."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from domain.errors import BadInputError
from server.compose.distributed import open_runner
from server.roles import Roles
from server.settings import Settings
from tests.servers.fixtures import drop_database

CATALOG = Roles(serve=("catalog",))


def settings_of(name: str, kafka: str, mongodb: str, folder: Path) -> Settings:
    return Settings(mode="distributed", data=folder, kafka=kafka, mongodb=mongodb, database=name)


def test_neighbours_on_one_data_directory_keep_their_scratch(
    kafka: str, mongodb: str, installation: str, tmp_path: Path
) -> None:
    first, second = (settings_of(name, kafka, mongodb, tmp_path) for name in (installation, f"{installation}-b"))
    with ExitStack() as opened:
        opened.callback(drop_database, mongodb, second.database)
        runner = open_runner(first, CATALOG)
        opened.callback(runner.close)
        upload = Path(runner.require_services().backend.blobs.scratch(".csv"))
        upload.write_text("half a file")
        dead = upload.parent.with_name("serve-catalog-deadbeef")
        dead.mkdir()
        theirs = dead.with_name("thesis")
        theirs.mkdir()
        open_runner(second, CATALOG).close()
        assert upload.exists()
        assert dead.exists(), "its neighbours know nothing of it"
        open_runner(first, CATALOG).close()
        assert upload.exists()
        assert not dead.exists()
        assert theirs.exists(), "no process of ours has such a name"


def test_a_scratch_folder_that_is_a_link_is_refused(
    kafka: str, mongodb: str, installation: str, tmp_path: Path
) -> None:
    data, precious = tmp_path / "data", tmp_path / "precious" / "serve-catalog-deadbeef"
    precious.mkdir(parents=True)
    (data / "scratch").mkdir(parents=True)
    (data / "scratch" / installation).symlink_to(precious.parent)
    with pytest.raises(BadInputError, match="is a link"):
        open_runner(settings_of(installation, kafka, mongodb, data), CATALOG)
    assert precious.exists()
