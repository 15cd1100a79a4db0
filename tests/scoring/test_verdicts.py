"""What a judge may say, and what is written of it."""

from fractions import Fraction

import numpy as np
import pytest

from aigw import ConfigurationError, GatewayLog
from aigw._rating._verdicts import read_verdict
from aigw.scoring._verdicts import is_marked

MARK = {"metadata": {"source": "j"}}


@pytest.mark.parametrize(
    ("verdict", "changes"),
    [
        (None, None),
        ({}, None),
        (True, {"score": 1, **MARK}),
        (False, {"score": 0, **MARK}),
        (0, {"score": 0, **MARK}),
        (0.25, {"score": 0.25, **MARK}),
        (Fraction(1, 2), {"score": 0.5, **MARK}),
        (np.float32(0.5), {"score": 0.5, **MARK}),
        (np.int64(7), {"score": 7, **MARK}),
        ({"feedback": -1}, {"feedback": -1, **MARK}),
        ({"score": None}, {"score": None, **MARK}),
        ({"score": True, "feedback": 1}, {"score": 1, "feedback": 1, **MARK}),
        ({"metadata": {"why": "rude"}}, {"metadata": {"source": "j", "why": "rude"}}),
        ({"score": 1, "metadata": {"source": "else"}}, {"score": 1, **MARK}),
    ],
)
def test_a_verdict_becomes_changes_with_the_judges_name(verdict, changes):
    assert read_verdict(verdict, "j") == changes


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("good", "'good'"),
        ([1], r"\[1\]"),
        ({"rating": 1}, "'rating'"),
        ({"feedback": 5}, "feedback cannot be 5"),
        ({"score": "high"}, "score cannot be 'high'"),
        (float("nan"), "nan"),
        ({"metadata": [1]}, "metadata"),
        ({"metadata": {str(n): n for n in range(5)}}, "5"),
    ],
)
def test_what_cannot_be_sent_is_one_clear_error(verdict, words):
    with pytest.raises(ConfigurationError, match=words):
        read_verdict(verdict, "j")


def test_a_log_is_marked_by_its_own_judge_only():
    log = GatewayLog.model_validate({"id": "a", "metadata": {"source": "j"}})
    assert is_marked(log, "j")
    assert not is_marked(log, "other")
    assert not is_marked(GatewayLog.model_validate({"id": "a"}), "j")
