"""The documented exit codes, from status to process, and what stands on stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cli.history
from autolearn import errors as client_errors
from cli import exit_codes
from domain import errors
from tests.cli.conftest import Run
from tests.cli.examples import ID, evaluation, history, training
from tests.cli.fake_backend import FakeBackend, Reply, problem

DOCUMENTED = {400: 2, 413: 2, 415: 2, 422: 2, 408: 3, 429: 3, 503: 3, 507: 3, 401: 4, 403: 4, 404: 5, 409: 6}


@pytest.mark.parametrize(("status", "code"), DOCUMENTED.items())
def test_a_refusal_ends_with_the_documented_code(backend: FakeBackend, run: Run, status: int, code: int) -> None:
    backend.on("GET", "/experiments", problem(status, "some-slug", "It is refused."))
    ran = run("history")
    assert (ran.code, ran.out, ran.err) == (code, "", "autolearn: It is refused.\n")


def test_an_internal_error_of_the_backend_is_not_the_users(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/experiments", Reply(status=502, raw=b"<html>bad gateway</html>", media="text/html"))
    ran = run("history")
    assert (ran.code, ran.err) == (3, "autolearn: The answer was HTTP 502. (This answer is not sealed.)\n")


@pytest.mark.parametrize("status", [200, 204, 301, 404, 405])
def test_a_foreign_server_is_no_backend(backend: FakeBackend, run: Run, status: int) -> None:
    backend.on("GET", "/experiments", Reply(status=status, raw=b"<html>", media="text/html"))
    ran = run("history")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"autolearn: What answers at {backend.url} is no AutoLearn backend (HTTP {status}).\n"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("status", "x/y"), "experiment 'x/y'"),
        (("show", "../catalog"), "experiment '../catalog'"),
        (("compare", "x/y", ID), "experiment 'x/y'"),
        (("catalog", "datasets", "../models"), "data set '../models'"),
    ],
)
def test_what_cannot_be_a_name_is_not_found(backend: FakeBackend, run: Run, words: tuple[str, ...], kind: str) -> None:
    ran = run(*words)
    assert (ran.code, ran.err) == (5, f"autolearn: There is no {kind}.\n")
    assert backend.seen == []


@pytest.mark.parametrize("words", [("history", "--model"), ("train", "iris", "svm", "--seed"), ("status",)])
def test_long_arguments_are_refused_in_few_words(backend: FakeBackend, run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words, "9" * 100_000)
    assert ran.code == 2
    assert len(ran.err) < 1000
    assert len(run(*words, "9" * 100_000, "--json").err) < 1000
    assert backend.seen == []


@pytest.mark.parametrize("words", [("--help",), ("completion", "bash")])
def test_who_has_read_enough_is_no_error(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = (sys.executable, "-m", "cli.main", *words)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_every_error_of_this_side_has_a_code() -> None:
    assert exit_codes.of_error(errors.WaitedTooLongError("x")) == 124
    assert exit_codes.of_error(client_errors.UnreachableError("x")) == 3
    assert exit_codes.of_error(client_errors.WaitTimeoutError("x")) == 124
    assert exit_codes.of_error(client_errors.ProblemError(409, {})) == 6
    assert exit_codes.of_error(client_errors.ClientError("x")) == 1
    assert exit_codes.of_error(errors.DataDirectoryInUseError("x")) == 6
    assert exit_codes.of_error(errors.FilterError("x")) == 2
    assert exit_codes.of_error(errors.AutoLearnError("x")) == 1


@pytest.mark.parametrize("mode", [("--json",), ("-o", "json"), ("-ojsonl",), ("--output=json",)])
def test_in_json_modes_the_problem_object_stands_on_stderr(
    backend: FakeBackend, run: Run, mode: tuple[str, ...]
) -> None:
    backend.on("GET", f"/experiments/{ID}", problem(404, "not-found", "There is none.", nearest=["iris"]))
    ran = run("show", ID, *mode)
    assert ran.code == 5
    assert json.loads(ran.err)["nearest"] == ["iris"]


def test_a_sentence_brings_the_nearest_names_and_allowed_values(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/trainings", problem(422, "bad-setting", "kernel is wrong.", allowed=["rbf", None, 1]))
    assert run("train", "iris", "svm").err == "autolearn: kernel is wrong. Allowed: rbf, null, 1.\n"
    backend.on("GET", f"/trainings/{ID}", problem(404, "not-found", "None. Nearest: iris.", nearest=["iris"]))
    assert run("status", ID).err == "autolearn: None. Nearest: iris.\n"


def test_no_backend_names_the_way_out(run: Run) -> None:
    ran = run("history", "--url", "http://127.0.0.1:1")
    assert ran.code == 3
    assert "`autolearn up`" in ran.err


def test_no_credentials_at_the_usual_place(run: Run, home: Path) -> None:
    (home / "credentials.json").unlink()
    ran = run("history")
    assert ran.code == 3
    assert "`autolearn up`" in ran.err


def test_no_credentials_where_the_environment_says(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOLEARN_CREDENTIALS", str(home / "none.json"))
    assert run("history").code == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("hystory",), "There is no command 'hystory'. Nearest: history."),
        (("history", "extra"), "Got unexpected extra argument (extra). See `autolearn history --help`."),
        (("history", "--limit", "0"), "0 is not in the range 1<=x<=1000"),
        (("history", "-o", "xml"), "'xml' is not one of"),
        (("history", "--url", "ftp://x"), "is not the URL of a backend"),
        (("history", "--url", "http://x:99999"), "is not the URL of a backend"),
        (("train", "iris"), "Missing argument 'MODEL'"),
        (("train", "iris", "svm", "-p", "C"), "a setting looks like KEY=VALUE"),
        (("train", "iris", "svm", "-p", "C=1", "-p", "C=2"), "-p C is given twice"),
        (("train", "iris", "svm", "-p", "C=1e400"), "C = inf is not allowed: a finite number."),
        (("train", "iris", "svm", "-p", "C=[1, -1e400]"), "C = -inf is not allowed: a finite number."),
        (("train", "iris", "svm", "--test-size", "nan"), "nan is not allowed: a finite number."),
        (("wait", ID, "--timeout", "inf"), "inf is not allowed: a finite number."),
        (("status", ""), "An empty text names no experiment."),
        (("compare", "", ""), "An empty text names no experiment."),
        (("history", "--where", "\udcff"), "is not Unicode text"),
        (("show", "\udcff"), "is not Unicode text"),
        (("train", "iris", "svm", "--seed", "-1"), "-1 is not in the range"),
        (("train", "iris", "svm", "--evaluate", "--no-wait"), "--evaluate waits"),
        (("train", "iris", "svm", "--commit", "--no-wait"), "--commit waits for the training: leave out --no-wait"),
        (("train", "iris", "svm", "--message", "good"), "--message is of a commit: give --commit too"),
        (("compare", "aaaa"), "compare needs two experiments"),
        (("replay",), "Missing option '--as-of'"),
        (("withdraw", ID), "Missing option '--reason'"),
        (("verify", "--anchor", "12"), "POSITION:HASH"),
        (("rebuild", "history", "--all"), "not both"),
        (("rebuild", "histery"), "there are catalog, session, experiment, history, tasks, search, prediction."),
        (("dataset", "add", "none.csv", "--name", "n", "--target", "t"), "does not exist"),
        (("call", "GET", "experiments"), "begins with a slash"),
        (("call", "POST", "/trainings", "-d", "{"), "-d is no JSON"),
        (("call", "POST", "/trainings", "-d", "[" * 100_000), "nested too deeply"),
        (("train", "iris", "svm", "-p", "C=" + "[" * 100_000), "nested too deeply"),
        (("call", "POST", "/trainings", "-d", "\udcff"), "-d is no JSON"),
        (("call", "POST", "/trainings", "-d", "@none.json"), "No such file"),
        (("call", "GET", "/experiments", "-H", "Prefer"), "NAME:VALUE"),
        (("client", "add", "bob", "--role", "king"), "'king' is not one of"),
        (("client", "add", "bob", "--credentials-out", "none/bob.json"), "not a folder that you may write to"),
        (("predict", ID), "Give a file, or one row with --row"),
        (("predict", ID, "none.csv"), "does not exist"),
        (("predict", ID, "--row", "{"), "--row is no JSON"),
        (("predict", ID, "--row", "[1]"), "--row is no JSON object"),
        (("predictions", "check"), "autolearn predictions check ID FILE"),
        (("predictions", ID, ID), "Name one experiment, or none"),
        (("export", ID, "."), "is a directory"),
        (("export", ID, "w.pkl"), "would not be a pickle, but a skops file: name it .skops (or .onnx)."),
        (("export", ID, "none/w.skops"), "none is not a folder that you may write to."),
    ],
)
def test_bad_input_ends_with_2_and_a_sentence(
    backend: FakeBackend, run: Run, words: tuple[str, ...], said: str
) -> None:
    ran = run(*words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert backend.seen == []


def test_a_usage_error_is_a_problem_object_in_json_modes(run: Run) -> None:
    ran = run("train", "iris", "--json")
    assert ran.code == 2
    assert json.loads(ran.err)["type"] == "bad-input"


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_training_that_does_not_complete_ends_with_1(backend: FakeBackend, run: Run, state: str) -> None:
    body = training(state=state, error={"reason": "memory-limit", "detail": "Above 2 GiB."})
    backend.on("POST", "/trainings", Reply(body, 201))
    backend.on("GET", f"/trainings/{ID}", Reply(body))
    assert run("train", "iris", "svm", "--json").json == body
    ran = run("train", "iris", "svm", "--evaluate")
    assert ran.code == 1
    assert (ran.out.count("memory-limit: Above 2 GiB."), ran.err) == (1, "")
    assert run("train", "iris", "svm", "--json").err.endswith("memory-limit: Above 2 GiB.\n")
    assert run("wait", ID).code == 1
    assert run("status", ID).code == 0


def test_a_failed_evaluation_ends_with_1(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/evaluations", Reply(evaluation(state="failed", measures={}), 201))
    assert run("evaluate").code == 1


@pytest.mark.parametrize(
    ("verdict", "code"), [("bit-identical", 0), ("metric-equal", 0), ("different", 1), ("not-possible", 1)]
)
def test_reproduce_ends_by_its_verdict(backend: FakeBackend, run: Run, verdict: str, code: int) -> None:
    body = {"reproduction": f"{ID}-r1", "experiment": ID, "state": "completed", "verdict": verdict, "differences": []}
    backend.on("POST", f"/experiments/{ID}/reproductions", Reply(body, 201))
    backend.on("GET", f"/reproductions/{ID}-r1", Reply(body))
    assert run("reproduce", ID).code == code
    assert run("wait", f"{ID}-r1").code == code


def test_waiting_too_long_ends_with_124(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", f"/trainings/{ID}", Reply(training(state="started")))
    ran = run("wait", ID, "--timeout", "0.01")
    assert ran.code == 124
    assert "not finished after 0.01 s: it is started" in ran.err


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (RuntimeError("two\nlines"), 1)])
def test_no_traceback_reaches_the_user(
    backend: FakeBackend, run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli.history, "View", fail)
    backend.on("GET", "/experiments", Reply(history()))
    ran = run("history")
    assert ran.code == code
    assert "Traceback" not in ran.err
    assert len(ran.err.strip().splitlines()) == 1
