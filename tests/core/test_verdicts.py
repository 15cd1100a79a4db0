"""What is said of a call without a person: what it comes to, and which calls are in a sample."""

from __future__ import annotations

import pytest

from aigw import AutomaticFeedback, ConfigurationError
from aigw._rating._verdicts import OCCASIONS, check_sample, is_sampled, judge_source, read_automatic, read_verdict

NAMES = [f"019ab{number:027x}" for number in range(20_000)]


@pytest.mark.parametrize(
    ("verdict", "changes"),
    [
        (None, None),
        ({}, None),
        (True, {"score": 1, "metadata": {"source": "s"}}),
        (0, {"score": 0, "metadata": {"source": "s"}}),
        (0.25, {"score": 0.25, "metadata": {"source": "s"}}),
        ({"feedback": -1}, {"feedback": -1, "metadata": {"source": "s"}}),
        ({"score": True, "metadata": {"a": 1, "source": "mine"}}, {"score": 1, "metadata": {"a": 1, "source": "s"}}),
    ],
)
def test_a_verdict_becomes_changes_that_name_their_source(verdict, changes):
    assert read_verdict(verdict, "s") == changes


@pytest.mark.parametrize(
    "verdict",
    [
        "good",
        [1],
        {"stars": 5},
        {"feedback": 2},
        {"metadata": "x"},
        float("nan"),
        {"metadata": dict.fromkeys("abcde", 1)},
    ],
)
def test_what_cannot_be_sent_is_refused(verdict):
    with pytest.raises(ConfigurationError):
        read_verdict(verdict, "s")


def test_true_rates_every_occasion_down_and_nothing_rates_none():
    assert read_automatic(given=True) == {
        name: {"feedback": -1, "metadata": {"source": name}} for name in ("output_parser", "tool", "guardrail", "dlp")
    }
    assert [read_automatic(nothing) for nothing in (None, False, {}, {"tool": None})] == [{}, {}, {}, {}]


def test_an_occasion_has_feedback_or_a_whole_rating():
    given = {"tool": 0, "dlp": {"score": 5, "metadata": {"team": "a"}}}
    assert read_automatic(given) == {
        "tool": {"feedback": 0, "metadata": {"source": "tool"}},
        "dlp": {"score": 5, "metadata": {"team": "a", "source": "dlp"}},
    }


@pytest.mark.parametrize("given", [{"parser": -1}, {"tool": 2}, {"tool": True}, {"tool": "bad"}, ["tool"], "tool"])
def test_what_is_no_occasion_or_no_feedback_is_refused(given):
    with pytest.raises(ConfigurationError):
        read_automatic(given)


def test_the_occasions_are_the_keys_of_the_typed_dict():
    assert tuple(AutomaticFeedback.__annotations__) == OCCASIONS


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_a_sample_is_as_large_as_it_says(share):
    chosen = sum(is_sampled(name, share) for name in NAMES)
    spread = (len(NAMES) * share * (1 - share)) ** 0.5
    assert abs(chosen - len(NAMES) * share) < 4 * spread


def test_a_sample_is_spread_evenly_over_ids_that_follow_each_other():
    counts = [
        sum(is_sampled(name, 0.5) for name in NAMES[start : start + 1000]) for start in range(0, len(NAMES), 1000)
    ]
    assert all(400 < count < 600 for count in counts)


def test_what_is_in_a_sample_is_in_every_larger_one():
    smaller = {name for name in NAMES if is_sampled(name, 0.1)}
    assert smaller <= {name for name in NAMES if is_sampled(name, 0.2)}


def test_all_are_in_the_whole_and_none_in_nothing():
    assert all(is_sampled(name, 1) for name in NAMES)
    assert not any(is_sampled(name, 0) for name in NAMES)


def test_the_same_ids_are_chosen_on_every_machine():
    chosen = [number for number in range(40) if is_sampled(f"run-{number}", 0.1)]
    assert chosen == [3, 23]


@pytest.mark.parametrize("sample", [-0.1, 1.1, "half", None, True, float("nan")])
def test_what_is_no_share_is_refused(sample):
    with pytest.raises(ConfigurationError, match="a share of the calls"):
        check_sample(sample)


class Strict:
    def __call__(self):
        return None


@pytest.mark.parametrize(
    ("judge", "source"),
    [(is_sampled, "judge:is_sampled"), (lambda: 1, "judge:lambda"), (Strict(), "judge:Strict")],
)
def test_a_judge_is_named_by_its_function_or_class(judge, source):
    assert judge_source(judge) == source
