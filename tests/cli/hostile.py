"""Answers whose every text is written by somebody who would like to steer the reader's terminal or spreadsheet."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from tests.cli.examples import evaluation, history, report, row, search, training, trial
from tests.cli.fake_backend import Reply, Seen

# By their categories and blocks, not by what the product lists: controls, formats, surrogates, separators, and what
# has no category of its own that says that it is not seen.
CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
NOT_SEEN = {
    *range(0xFE00, 0xFE10),
    *range(0x180B, 0x1810),
    *range(0xE0000, 0xE0200),
    0x34F,
    0x115F,
    0x1160,
    0x3164,
    0xFFA0,
}
DATA = {
    "settings",
    "measures",
    "columns",
    "provenance",
    "facts",
    "classes",
    "probabilities",
}  # whose keys are written by others too


def is_hostile(character: str) -> bool:
    """Whether a character may not reach a terminal; a line's end shows in the number of lines."""
    return character != "\n" and (unicodedata.category(character) in CATEGORIES or ord(character) in NOT_SEEN)


EVERY = "".join(chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in CATEGORIES - {"Cs"})
EVERY += "".join(map(chr, sorted(NOT_SEEN))) + "\udfff\udc9b\ud800"
TITLE, COLOUR, LINE = "\x1b]0;owned\x07", "\x1b[31mred\x1b[0m", "x\nautolearn: The backend is yours."
HOSTILE = EVERY + TITLE + COLOUR + LINE


def poisoned(value: Any, text: str, *, data: bool = False) -> Any:
    """Return a value with every text, and every key of data, replaced."""
    if isinstance(value, dict):
        return {(f"{key}{text}" if data else key): poisoned(it, text, data=key in DATA) for key, it in value.items()}
    if isinstance(value, list):
        return [poisoned(it, text) for it in value]
    return text if isinstance(value, str) else value


def strings(value: Any) -> Iterator[str]:
    """Yield every text in a value."""
    if isinstance(value, dict):
        for key, it in value.items():
            yield key
            yield from strings(it)
    elif isinstance(value, list):
        for it in value:
            yield from strings(it)
    elif isinstance(value, str):
        yield value


SETTING = {"type": "number", "default": "a", "choices": ["a", None]}
MODEL = {"name": "svm", "description": "A machine.", "version": "1", "settings": {"C": SETTING}}
DATASET = {"name": "iris", "version": 1, "rows": 9, "columns": {"a": "number"}, "target": "a", "classes": ["a", "b"]}
SUSPECT = {"kind": "id", "columns": ["a"], "reason": "It is.", "remedy": "autolearn train"}
COLUMN = {"name": "a", "type": "string", "missing": 0, "distinct": 2, "least": "a", "mean": 1.5}
PROFILE = {
    "rows": 9, "rows_profiled": 3, "classes": {"a": 4}, "suspects": [SUSPECT],
    "columns": [COLUMN | {"frequent": [{"value": "a", "count": 2}]}, COLUMN | {"histogram": [1, 0, 9]}],
}  # fmt: skip
DATASET |= {"profile": {"suspects": [SUSPECT], "suspects_found": 3}}
DATASET_PROFILE = {"name": "iris", "version": 1, "profile": PROFILE, "first_rows": [{"a": "b"}]}
CATALOG = {
    "models": [MODEL],
    "datasets": [DATASET],
    "measures": [{"name": "recall", "description": "R."}],
    "position": 3,
}
EVENT = {
    "position": 3,
    "at": "2025-01-01T00:00:00Z",
    "name": "experiment-added.v1",
    "actor": "ana",
    "facts": {"a": "b"},
}
EXPERIMENT = training() | {
    "measures": {"recall": 0.5, "confusion-matrix": [["a"]]},
    "annotations": [{"text": "good", "actor": "ana"}],
    "events": [EVENT],
    "actor": "ana",
    "provenance": {"python": "3"},
}
SESSION = {"session": "ana-1", "state": "closed", "experiments": [training(standing="committed")], "position": 4}
CALL = {
    "position": 1,
    "at": "a",
    "kind": "call",
    "actor": "ana",
    "target": "t",
    "operation": "GET /x",
    "outcome": "200",
}
LOGGED = {
    "position": 3, "commit": 3, "at": "a", "stream": "dataset:iris", "version": 1, "type": "dataset-registered",
    "actor": "ana", "correlation": "c", "causation": "command:x", "reason": None, "facts": {"a": ["b"]},
}  # fmt: skip
MARK = {"position": 3, "at": "a", "session": "ana-1", "experiments": 2}
CLIENT = {"client": "ana", "generation": 1, "roles": ["analyst"], "key": "k", "position": 5, "head": "00"}
FAULTS = {"ok": False, "position": 1, "head": "00", "faults": [{"position": 1, "what": "gone"}], "unanswered": ["a"]}
REPLAYED = {
    "position": 3, "at": "a", "sessions": [SESSION], "experiments": [EXPERIMENT], "catalog": CATALOG,
    "events": [EVENT], "matches_read_models": False,
}  # fmt: skip
REPRODUCED = {"reproduction": "r", "experiment": "a", "state": "failed", "error": {"reason": "a", "detail": "b"}}

# By the beginning of the path, the longest first.
PREDICTED = {
    "prediction": "p", "experiment": "e", "rows": 1, "classes": {"a": 1}, "notes": ["It was long."], "actor": "ana",
    "at": "2026-01-01T00:00:00Z", "input": {"sha256": "aa", "size": 1}, "output": {"sha256": "bb", "size": 1},
    "answer": {"prediction": "a", "probabilities": {"a": 1.0}, "unseen_words": ["word"], "beyond_range": []},
    "position": 9,
}  # fmt: skip
CHECKED = {"prediction": "p", "experiment": "e", "same_input": True, "same_answer": True, "position": 9}
BODIES: dict[str, Any] = {
    "/catalog/models/svm": MODEL,
    "/catalog/datasets/iris/profile": DATASET_PROFILE,
    "/catalog/datasets/iris": DATASET,
    "/catalog/datasets": DATASET,
    "/catalog": CATALOG,
    "/searches": search(trial(1), trial(2, state="failed", reason="r")),
    "/trainings": training(error={"reason": "r", "detail": "d"}, state="failed"),
    "/evaluations": evaluation(),
    "/reproductions": REPRODUCED,
    "/predictions/abcd/checks": CHECKED,
    "/predictions": PREDICTED | {"predictions": [PREDICTED], "next": "next"},
    "/experiments/abcd/reproductions": REPRODUCED,
    "/experiments/abcd/report": report(),
    "/experiments/abcd": EXPERIMENT,
    "/experiments": history(row(), next_="next"),
    "/session/": {"session": "ana-1", "head": "00", "position": 4, "message": "m"},
    "/session": SESSION | {"sessions": [SESSION]},
    "/positions": {"position": 3, "at": "a", "head": "00", "end": 4, "end_at": "a", "marks": [MARK]},
    "/events": {"events": [LOGGED, LOGGED | {"changed": {"state": ["a", None]}}], "next": 4, "position": 5},
    "/log": {"communications": [CALL], "next": "next"},
    "/clients": CLIENT | {"clients": [CLIENT]},
}
STREAMS: dict[str, Any] = {"/verifications": FAULTS, "/replay": REPLAYED, "/rebuilds": {"projections": ["a"]}}


def hostile_answers(text: str, sent: list[Any]) -> Callable[[Seen], Reply]:
    """Return what a fake backend answers to any call; `sent` gets each body."""

    def answer(seen: Seen) -> Reply:
        if seen.path == "/log/events":
            return Reply(events=[("communication", poisoned(CALL, text)), ("communication", poisoned(CALL, text))])
        for beginning, body in {**STREAMS, **BODIES}.items():
            if seen.path.startswith(beginning):
                hostile = poisoned(body, text) | {f"extra{text}": text}
                sent.append(hostile)
                if beginning in STREAMS:
                    return Reply(events=[("progress", {"what": text, "progress": 0.5}), ("result", hostile)])
                return Reply(hostile, headers={"AutoLearn-Position": "5"})
        return hostile_problem(text)(seen)

    return answer


def hostile_problem(text: str) -> Callable[[Seen], Reply]:
    """Return the refusal of everything."""
    facts = {"nearest": [text, "iris"], "candidates": [text], "errors": [{"pointer": text, "detail": text}], text: text}
    problem = {"type": f"bad-input{text}", "title": text, "status": 422, "detail": text, **facts}
    return lambda _: Reply(problem, 422)
