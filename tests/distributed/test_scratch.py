"""Scratch folders of processes that died are swept; on one data directory, each installation sweeps its own alone."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from cli.compose.distributed import open_service
from cli.settings import Settings
from tests.servers.fixtures import drop_database


def settings_of(name: str, kafka: str, mongodb: str, folder: Path) -> Settings:
    return Settings(mode="distributed", data=folder, kafka=kafka, mongodb=mongodb, database=name)


def test_neighbours_on_one_data_directory_keep_their_scratch(
    kafka: str, mongodb: str, installation: str, tmp_path: Path
) -> None:
    first, second = (settings_of(name, kafka, mongodb, tmp_path) for name in (installation, f"{installation}-b"))
    with ExitStack() as opened:
        opened.callback(drop_database, mongodb, second.database)
        node = open_service(first, "serve", "catalog")
        opened.callback(node.close)
        upload = Path(node.backend.blobs.scratch(".csv"))
        upload.write_text("half a file")
        dead = upload.parent.with_name("serve-catalog-dead")
        dead.mkdir()
        open_service(second, "serve", "catalog").close()
        assert upload.exists()
        assert dead.exists(), "its neighbours know nothing of it"
        open_service(first, "serve", "catalog").close()
        assert upload.exists()
        assert not dead.exists()
