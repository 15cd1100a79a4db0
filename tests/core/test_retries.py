"""Whether a failure is tried again, and after how long."""

import pytest

import aigw
from aigw._error_bodies import error_from_response
from aigw._http import Headers, Response
from aigw._retries import next_poll, retry_delay


def status(code, body=b"{}", *headers):
    return error_from_response(Response(code, Headers(headers), body), aigw.ResponseInfo())


def broken(*, sent):
    error = aigw.APIConnectionError("No answer")
    error.request_sent = sent
    return error


RETRIED = [
    (status(408), True),
    (status(429), True),
    (status(500), True),
    (status(502), True),
    (status(503), True),
    (status(529), True),
    (status(400), False),
    (status(401), False),
    (status(402), False),
    (status(403), False),
    (status(404), False),
    (status(409), False),
    (status(425), False),
    (status(302), False),
    (status(400, b'{"error": [{"code": 2005, "message": "Failed"}]}'), False),
    (status(429, b'{"error": [{"code": 2003, "message": "Rate limited"}]}'), True),
    (status(429, b'{"error": [{"code": 2041, "message": "Over"}]}'), False),
    (status(429, b'{"error": [{"code": 2045, "message": "Over"}]}'), False),
    (status(429, b'{"success": false, "error": {"message": "Spending limit exceeded"}}'), False),
    (status(429, b'{"errors": [{"code": 3036, "message": "Daily allocation"}]}'), False),
    (status(429, b'{"errors": [{"code": 3040, "message": "Capacity"}]}'), True),
    (broken(sent=False), True),
    (broken(sent=True), False),
    (aigw.APITimeoutError("Late"), False),
    (aigw.ConfigurationError("No"), False),
    (aigw.StreamError("Broken"), False),
    (aigw.StreamTruncatedError("Cut"), False),
]


@pytest.mark.parametrize(("error", "again"), RETRIED)
def test_only_what_is_safe_is_tried_again(error, again):
    assert (retry_delay(error, 0, 2) is not None) is again


@pytest.mark.parametrize(("done", "most", "again"), [(0, 0, False), (0, 1, True), (1, 1, False), (1, 2, True)])
def test_no_more_often_than_allowed(done, most, again):
    assert (retry_delay(status(500), done, most) is not None) is again


@pytest.mark.parametrize(("done", "longest"), [(0, 0.5), (1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (9, 8.0)])
def test_the_wait_doubles_up_to_eight_seconds(done, longest):
    for _ in range(20):
        assert 0.75 * longest <= retry_delay(status(500), done, 10) <= longest


@pytest.mark.parametrize(
    ("header", "delay"),
    [
        (("retry-after", "0"), 0.0),
        (("retry-after", "3"), 3.0),
        (("retry-after-ms", "20"), 0.02),
        (("retry-after", "60"), 60.0),
        (("retry-after", "61"), None),
    ],
)
def test_retry_after_is_obeyed_up_to_a_minute(header, delay):
    assert retry_delay(status(429, b"{}", header), 0, 2) == delay


def test_polling_grows_to_a_second_and_never_past_the_end():
    assert next_poll(0.1, 10) == pytest.approx(0.15)
    assert next_poll(0.9, 10) == 1.0
    assert next_poll(0.9, 0.2) == 0.2
    assert next_poll(0.9, -1) == 0.0
