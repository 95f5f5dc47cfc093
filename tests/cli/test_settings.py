"""Settings of the environment: what is wrong with one is said in words, and a misspelled one does not pass silently."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from adapters.host.memory import machine_memory
from autolearn.errors import InvalidInputError
from autolearn.locations import data_directory
from cli.exit_codes import BAD_INPUT
from cli.up import up
from domain.errors import BadInputError
from server.settings import OF_MONGODB, Settings, read_distributed_settings, read_settings, unknown_settings


def test_a_name_that_is_not_allowed_is_refused_in_words() -> None:
    with pytest.raises(BadInputError, match=r"it must be at most 40 of the characters a-z, 0-9 and -") as refused:
        read_settings(database="Two.Words")
    assert "^" not in refused.value.sentence


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TASK_MEMORY", str(2**63), "a whole number of at least 67108864 and of at most 1152921504606846976"),
        ("TASK_SECONDS", "1e-300", "a number of at least 1"),
        *(("DATABASE", name, "MongoDB keeps its own data in admin, config, local") for name in OF_MONGODB),
    ],
)
def test_a_value_that_cannot_work_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"AUTOLEARN_{name}", value)
    with pytest.raises(BadInputError) as refused:
        read_settings()
    assert words in refused.value.sentence


def test_the_memory_of_a_machine_is_what_its_control_group_may_use(tmp_path: Path) -> None:
    whole = machine_memory(tmp_path)
    limit = tmp_path / "memory.max"
    for written, memory in (("max\n", whole), (f"{1 << 30}\n", 1 << 30), (f"{1 << 60}\n", whole)):
        limit.write_text(written)
        assert machine_memory(tmp_path) == memory


def test_the_memory_of_a_task_is_its_share_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.settings.machine_memory", lambda: 16 << 30)
    assert read_settings(slots=2).task_memory == 6 << 30
    assert read_settings(slots=64).task_memory == 2 << 30
    assert read_settings(slots=64, task_memory=1 << 30).task_memory == 1 << 30


def test_an_empty_mode_is_refused_by_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOLEARN_MODE", "")
    for read in (read_settings, read_distributed_settings):
        with pytest.raises(BadInputError, match="it must be one of embedded, distributed"):
            read()


@pytest.mark.parametrize("name", ["DATA", "BLOBS", "MASTER_KEY_FILE", "KAFKA", "MONGODB", "LISTEN"])
def test_an_empty_place_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A backend with an empty AUTOLEARN_DATA began a log in the folder where it was called, and closed it."""
    monkeypatch.setenv(f"AUTOLEARN_{name}", "")
    with pytest.raises(BadInputError, match=f"AUTOLEARN_{name} = '' does not fit: give a value, or unset it"):
        read_settings()


def test_an_empty_folder_is_refused_on_the_command_line() -> None:
    refused = CliRunner().invoke(up, ["--data", ""])
    assert refused.exit_code == BAD_INPUT
    assert "'--data': it is empty" in refused.output


def test_an_empty_data_directory_is_refused_by_commands_that_only_look_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOLEARN_DATA", "")
    with pytest.raises(InvalidInputError, match="AUTOLEARN_DATA is empty: give a folder, or unset it"):
        data_directory()


def test_lists_may_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOSTS", "PROXIES"):
        monkeypatch.setenv(f"AUTOLEARN_{name}", "")
    assert read_settings().proxy_networks == ()


def test_a_path_may_begin_with_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOLEARN_DATA", "~/models")
    assert read_settings().data == data_directory() == Path.home() / "models"


def test_unknown_settings_are_told_with_the_nearest() -> None:
    assert unknown_settings(["AUTOLEARN_SLOT", "AUTOLEARN_QQQQ"]) == [
        "AUTOLEARN_QQQQ is not a setting, so it has no effect.",
        "AUTOLEARN_SLOT is not a setting, so it has no effect. Nearest: AUTOLEARN_SLOTS, AUTOLEARN_LOG.",
    ]


def test_settings_of_backend_client_and_tests_are_known() -> None:
    known = [f"AUTOLEARN_{name.upper()}" for name in Settings.model_fields]
    assert unknown_settings([*known, "AUTOLEARN_URL", "AUTOLEARN_CREDENTIALS", "AUTOLEARN_TEST_KAFKA", "HOME"]) == []
