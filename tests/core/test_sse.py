"""Server-sent events: every document, cut anywhere, gives the same events."""

import pytest

from aigw._sse import Event, EventTooLargeError, SSEDecoder

DOCUMENTS = [
    pytest.param(b"data: a\n\ndata: b\n\n", [(b"a", "message"), (b"b", "message")], id="lf"),
    pytest.param(b"data: a\r\n\r\ndata: b\r\n\r\n", [(b"a", "message"), (b"b", "message")], id="crlf"),
    pytest.param(b"data: a\r\rdata: b\r\r", [(b"a", "message"), (b"b", "message")], id="cr"),
    pytest.param(b"data: a\r\n\ndata: b\n\r\n", [(b"a", "message"), (b"b", "message")], id="mixed"),
    pytest.param(b"\xef\xbb\xbfdata: a\n\n", [(b"a", "message")], id="bom"),
    pytest.param(b"data: \xef\xbb\xbfa\n\n", [(b"\xef\xbb\xbfa", "message")], id="bom-inside"),
    pytest.param(b": keep-alive\n\n:\n\ndata: a\n: c\n\n", [(b"a", "message")], id="comments"),
    pytest.param(b"data: {\ndata: }\n\n", [(b"{\n}", "message")], id="multi-line"),
    pytest.param(b"data:a\n\ndata:  b\n\n", [(b"a", "message"), (b" b", "message")], id="spaces"),
    pytest.param(b"data\n\ndata:\n\n", [(b"", "message"), (b"", "message")], id="empty-data"),
    pytest.param(b"event: ping\ndata: {}\n\ndata: a\n\n", [(b"{}", "ping"), (b"a", "message")], id="named"),
    pytest.param(b"event: ping\n\ndata: a\n\n", [(b"a", "message")], id="event-without-data"),
    pytest.param(b"id: 7\nretry: 10\nfoo: bar\ndata: a\n\n", [(b"a", "message")], id="other-fields"),
    pytest.param("data: Köln 😀\n\n".encode(), [("Köln 😀".encode(), "message")], id="utf-8"),
    pytest.param(
        'data: "a\u2028b\u0085c\x0bd\x0ce\x1cf"\n\n'.encode(),
        [('"a\u2028b\u0085c\x0bd\x0ce\x1cf"'.encode(), "message")],
        id="other-line-separators",
    ),
    pytest.param(b"data: a\n\ndata: b", [(b"a", "message"), (b"b", "message")], id="no-end-of-line"),
    pytest.param(b"data: a\n\ndata: b\n", [(b"a", "message"), (b"b", "message")], id="no-blank-line"),
    pytest.param(b"\n\n\r\n\rdata: a\n\n\n\n", [(b"a", "message")], id="blank-lines"),
    pytest.param(b"", [], id="empty"),
]


def decode(*pieces):
    decoder = SSEDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.close()


@pytest.mark.parametrize(("document", "events"), DOCUMENTS)
def test_a_document_gives_its_events(document, events):
    assert decode(document) == [Event(*event) for event in events]


@pytest.mark.parametrize(("document", "events"), DOCUMENTS)
def test_a_document_cut_at_every_place_gives_the_same_events(document, events):
    expected = [Event(*event) for event in events]
    for cut in range(len(document) + 1):
        assert decode(document[:cut], document[cut:]) == expected, cut


@pytest.mark.parametrize(("document", "events"), DOCUMENTS)
def test_a_document_fed_byte_by_byte_gives_the_same_events(document, events):
    pieces = [document[place : place + 1] for place in range(len(document))]

    assert decode(*pieces, b"") == [Event(*event) for event in events]


def test_an_event_comes_as_soon_as_its_blank_line_does():
    decoder = SSEDecoder()

    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\n") == [Event(b"a")]


@pytest.mark.parametrize(
    "pieces",
    [
        [b"data: " + b"x" * 200],
        [b"data: " + b"x" * 60, b"y" * 60],
        [b"data: 0123456789\n"] * 20,
        [b"data: " + b"x" * 200 + b"\n\n"],
        [b": hi\n", b"data:\n" * 1000],
        [b"data:\n"] * 1000,
        [b"data\n" * 1000],
        [b"data\r" * 1000],
        [b"data:\r\n"] * 1000,
        [b": hi\n" + b"data: a\n" * 20],
    ],
)
def test_an_event_beyond_the_limit_is_refused_instead_of_kept(pieces):
    decoder = SSEDecoder(max_event_bytes=100)

    with pytest.raises(EventTooLargeError):
        [decoder.feed(piece) for piece in pieces]


def test_an_event_up_to_the_limit_is_kept():
    lines = b"data: a\n" * 12

    assert SSEDecoder(max_event_bytes=97).feed(lines + b"\n") == [Event(b"\n".join([b"a"] * 12))]
    with pytest.raises(EventTooLargeError):
        SSEDecoder(max_event_bytes=95).feed(lines + b"\n")


def test_what_is_kept_of_an_event_is_counted_anew_for_the_next():
    decoder = SSEDecoder(max_event_bytes=100)

    for _ in range(50):
        assert decoder.feed(b"event: x\ndata: 0123456789\n" * 3) == []
        assert len(decoder.feed(b"\ndata: " + b"y" * 60)) == 1
        assert len(decoder.feed(b"\n\n")) == 1


def test_many_small_events_never_reach_the_limit():
    decoder = SSEDecoder(max_event_bytes=100)

    assert len(decoder.feed(b"data: 0123456789\n\n" * 1000)) == 1000
