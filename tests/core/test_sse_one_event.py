"""Bytes that are exactly one event are decoded on a short way, which knows what came before."""

from __future__ import annotations

import pytest

from aigw._sse import Event, EventTooLargeError, SSEDecoder


def fed(*pieces, **more):
    decoder = SSEDecoder(**more)
    return [event for piece in pieces for event in decoder.feed(piece)]


@pytest.mark.parametrize(
    "before", [b"event: error\n", b"data: a\n", b"data:\n", b": c", b"data: a", b"id: 1\n", b"data: a\r"]
)
def test_what_came_before_still_counts(before):
    one = b"data: b\n\n"
    assert fed(b"data: 0\n\n", before, one) == fed(b"data: 0\n\n" + before + one)


@pytest.mark.parametrize(
    "one", [b"data: b\r\n\n", b"data: b\rc\n\n", b"data: \n\n", b"data: b\n\n\n", b"data:b\n\n", b"\n\n"]
)
def test_an_event_alone_is_what_it_is_among_others(one):
    assert fed(b"data: 0\n\n", one, b": end\n\n") == fed(b"data: 0\n\n" + one + b": end\n\n")


def test_the_first_bytes_may_be_a_mark_of_their_order():
    assert fed(b"\xef\xbb\xbfdata: b\n\n", b"data: c\n\n") == [Event(b"b"), Event(b"c")]


def test_the_limit_holds_for_one_event_too():
    with pytest.raises(EventTooLargeError):
        fed(b"data: 0\n\n", b"data: " + b"x" * 100 + b"\n\n", max_event_bytes=50)
