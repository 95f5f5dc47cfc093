"""Settings of the environment: what is wrong with one is said in words, and a misspelled one does not pass silently."""

from __future__ import annotations

import pytest

from domain.errors import BadInputError
from server.settings import Settings, read_settings, unknown_settings


def test_a_name_that_is_not_allowed_is_refused_in_words() -> None:
    with pytest.raises(BadInputError, match=r"it must be at most 40 of the characters a-z, 0-9 and -") as refused:
        read_settings(database="Two.Words")
    assert "^" not in refused.value.sentence


def test_unknown_settings_are_told_with_the_nearest() -> None:
    assert unknown_settings(["AUTOLEARN_SLOT", "AUTOLEARN_QQQQ"]) == [
        "AUTOLEARN_QQQQ is not a setting, so it has no effect.",
        "AUTOLEARN_SLOT is not a setting, so it has no effect. Nearest: AUTOLEARN_SLOTS.",
    ]


def test_settings_of_backend_client_and_tests_are_known() -> None:
    known = [f"AUTOLEARN_{name.upper()}" for name in Settings.model_fields]
    assert unknown_settings([*known, "AUTOLEARN_URL", "AUTOLEARN_CREDENTIALS", "AUTOLEARN_TEST_KAFKA", "HOME"]) == []
