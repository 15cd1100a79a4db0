"""Feedback folded into patches says what it said one by one."""

from hypothesis import given
from hypothesis import strategies as st

from aigw.feedback._merge import merge_changes

LABELS = st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 3), min_size=1, max_size=5)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "feedback": st.sampled_from([1, -1, 0, None]),
        "score": st.one_of(st.none(), st.integers(0, 100)),
        "metadata": st.one_of(st.none(), LABELS),
    },
).filter(bool)


def applied(patches):
    """Give a log that was patched, as a gateway leaves it that joins metadata key by key."""
    log = {"metadata": {}}
    for patch in patches:
        labels = patch.get("metadata", {})
        log = {**log, **patch, "metadata": {} if labels is None else {**log["metadata"], **labels}}
    return {name: value for name, value in log.items() if value not in (None, {})}


@given(st.lists(CHANGES, min_size=1, max_size=8))
def test_merged_feedback_leaves_the_log_as_the_single_ones_would(given_changes):
    assert applied(merge_changes(given_changes)) == applied(given_changes)


@given(st.lists(CHANGES, min_size=1, max_size=8))
def test_no_patch_carries_more_metadata_than_a_log_keeps(given_changes):
    assert all(len(patch.get("metadata") or {}) <= 5 for patch in merge_changes(given_changes))


def test_the_last_write_of_each_field_wins_in_one_patch():
    merged = merge_changes([{"feedback": 1, "score": 10}, {"feedback": -1}, {"metadata": {"by": "x"}}])
    assert merged == [{"feedback": -1, "score": 10, "metadata": {"by": "x"}}]


def test_metadata_that_is_cleared_and_given_anew_takes_two_patches():
    merged = merge_changes([{"metadata": None}, {"metadata": {"by": "x"}, "feedback": 1}])
    assert merged == [{"metadata": None}, {"metadata": {"by": "x"}, "feedback": 1}]


def test_what_was_given_is_not_changed():
    given_changes = [{"metadata": {"a": 1}}, {"metadata": {"b": 2}}]
    merge_changes(given_changes)
    assert given_changes == [{"metadata": {"a": 1}}, {"metadata": {"b": 2}}]
