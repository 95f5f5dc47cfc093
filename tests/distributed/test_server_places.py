"""Where servers are looked for, and what a test says that has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers import fixtures, install, places


def environment(home: Path) -> dict[str, str]:
    """Return an environment whose PATH is one folder, and whose cache is empty."""
    (home / "bin").mkdir(exist_ok=True)
    return {"PATH": str(home / "bin"), "HOME": str(home)}


def program(at: Path) -> Path:
    """Lay down something that can be run."""
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_text("#!/bin/sh\n")
    at.chmod(0o755)
    return at


@pytest.mark.parametrize(
    ("search", "what"),
    [
        (places.mongod, r"no MongoDB here: .*make test.*AUTOLEARN_TEST_MONGODB"),
        (places.jars, r"no Kafka here: .*make test.*AUTOLEARN_TEST_KAFKA"),
        (places.java, r"no Kafka here: no java .*AUTOLEARN_TEST_KAFKA"),
    ],
)
def test_what_is_nowhere_is_said_with_what_would_help(search: places.Search, what: str, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=what):
        search(environment(tmp_path))


def test_the_cache_folder_is_the_users_unless_another_is_named(tmp_path: Path) -> None:
    user = environment(tmp_path)
    assert places.cache(user) == tmp_path / ".cache" / "autolearn-servers"
    assert places.cache(user | {"XDG_CACHE_HOME": "/var/x"}) == Path("/var/x/autolearn-servers")
    assert places.cache(user | {"AUTOLEARN_TEST_SERVERS": "/var/y"}) == Path("/var/y")


def test_a_program_on_the_path_comes_before_the_cache(tmp_path: Path) -> None:
    user = environment(tmp_path)
    cached = program(places.cache(user) / "mongod")
    assert places.mongod(user) == cached
    assert places.mongod(user) != program(tmp_path / "bin" / "mongod")
    assert places.mongod(user) == tmp_path / "bin" / "mongod"


def test_the_jars_of_a_distribution_are_found_through_a_link_to_its_script(tmp_path: Path) -> None:
    user = environment(tmp_path)
    (tmp_path / "bin" / "kafka-server-start.sh").symlink_to(program(tmp_path / "kafka/bin/kafka-server-start.sh"))
    with pytest.raises(LookupError):
        places.jars(user)
    program(tmp_path / "kafka" / "libs" / "kafka_2.13-4.1.1.jar")
    assert places.jars(user) == tmp_path / "kafka" / "libs"


def test_a_missing_server_skips_on_a_laptop_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="no Kafka here"):
        fixtures.not_here(LookupError("no Kafka here"))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no Kafka here"):
        fixtures.not_here(LookupError("no Kafka here"))


def test_an_installation_that_fails_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    for name in ("AUTOLEARN_TEST_KAFKA", "AUTOLEARN_TEST_MONGODB", "AUTOLEARN_TEST_SERVERS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    install.main()
    said = capsys.readouterr().err
    assert "No MongoDB for the tests: " in said
    assert "No Kafka for the tests: there is no mvn on the PATH" in said


def test_nothing_is_fetched_where_servers_are_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AUTOLEARN_TEST_SERVERS", str(tmp_path / "none"))
    monkeypatch.setenv("AUTOLEARN_TEST_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("AUTOLEARN_TEST_MONGODB", "mongodb://127.0.0.1:1")
    install.main()
    assert not (tmp_path / "none").exists()
