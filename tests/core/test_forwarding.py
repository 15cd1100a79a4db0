"""What is forwarded of a run's own metadata: what was named, as far as it fits, and one warning for the rest."""

from __future__ import annotations

import pytest

from aigw.integration import forward_metadata

RUN = {"user_id": "u1", "thread_id": 7, "rate": 0.5, "beta": True, "secret": "never named", "nested": {}, "gone": None}


def test_only_named_keys_are_forwarded():
    assert forward_metadata(RUN, {}, ["user_id", "beta"]) == {"metadata": {"user_id": "u1", "beta": True}}


def test_a_calls_own_metadata_win():
    options = {"cache_ttl": 60, "metadata": {"user_id": "mine"}}

    assert forward_metadata(RUN, options, ["user_id", "thread_id"]) == {
        "cache_ttl": 60,
        "metadata": {"thread_id": 7, "user_id": "mine"},
    }
    assert options == {"cache_ttl": 60, "metadata": {"user_id": "mine"}}


def test_what_is_not_known_is_left_out_without_a_word():
    assert forward_metadata(RUN, {}, ["gone", "unheard"]) == {}


def test_layers_beneath_take_their_room_and_the_rest_is_named_in_one_warning():
    beneath = [{"metadata": {"a": 1, "b": 2}}, {"metadata": {"c": 3}}]

    with pytest.warns(UserWarning, match="not sent as gateway metadata: rate, beta;") as warned:
        options = forward_metadata(RUN, {}, ["user_id", "thread_id", "rate", "beta"], beneath)

    assert options == {"metadata": {"user_id": "u1", "thread_id": 7}}
    assert len(warned) == 1


def test_a_key_that_is_beneath_already_needs_no_room():
    beneath = [{"metadata": {"user_id": "x", "b": 2, "c": 3, "d": 4, "e": 5}}]

    assert forward_metadata(RUN, {}, ["user_id"], beneath) == {"metadata": {"user_id": "u1"}}


@pytest.mark.parametrize("value", [{}, [], float("nan"), float("inf"), b"x", object()])
def test_what_no_metadata_can_hold_is_named_in_the_warning(value):
    with pytest.warns(UserWarning, match="not sent as gateway metadata: odd;"):
        assert forward_metadata({"odd": value}, {}, ["odd"]) == {}
