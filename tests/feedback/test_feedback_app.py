"""The app for browsers over a real socket: what it takes, what it refuses, and that the log has what was accepted."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from aigw import AIGateway, AsyncAIGateway, ConfigurationError, ResponseInfo
from aigw.feedback import (
    AsyncFeedbackQueue,
    FeedbackQueue,
    FeedbackQueueFullError,
    FeedbackTokens,
    feedback_app,
)
from aigw.feedback._intake import Refusal, read_post
from aigw.feedback._rate_limit import RateLimit

TLS = ssl.create_default_context()
TOKENS = FeedbackTokens("correct horse battery staple")
CHAT = {"model": "openai/gpt-4.1-mini", "messages": [{"role": "user", "content": "Hello"}]}
API_TOKEN = "the-api-token"
ORIGIN = "https://chat.example.com"


@pytest.fixture
def client(aigw_local):
    with AIGateway("acme", API_TOKEN, base_url=aigw_local.base_url) as client:
        yield client


@pytest.fixture
def rated(client):
    """Give a log that can be rated, and its token."""
    info = client.chat(CHAT).info
    return info.log_id, TOKENS.issue(info)


@pytest.fixture
def open_browser():
    """Open what posts, as a browser would."""
    opened = []

    def open_browser(url, **settings):
        opened.append(httpx.Client(base_url=url, verify=TLS, **settings))
        return opened[-1]

    yield open_browser
    for browser in opened:
        browser.close()


@pytest.fixture
def open_app(serve, open_browser, client):
    """Serve the app alone, and give a browser for it."""
    return lambda taker=client, **settings: open_browser(serve(feedback_app(taker, TOKENS, **settings)))


def make_taker(kind, base_url):
    given = {"account_id": "acme", "api_token": API_TOKEN, "base_url": base_url}
    match kind:
        case "client":
            return AIGateway(**given)
        case "async client":
            return AsyncAIGateway(**given)
        case "queue":
            return FeedbackQueue(AIGateway(**given))
        case _:
            return AsyncFeedbackQueue(AsyncAIGateway(**given))


async def close(taker):
    if hasattr(taker, "aclose"):
        await taker.aclose()
    else:
        await asyncio.to_thread(taker.close)


@pytest.mark.parametrize("kind", ["client", "async client", "queue", "async queue"])
def test_mounted_in_an_app_it_gives_feedback_through_whatever_it_was_given(
    kind, serve, open_browser, client, rated, aigw_local
):
    taker = make_taker(kind, aigw_local.base_url)

    @asynccontextmanager
    async def lifespan(_app):
        yield
        await close(taker)

    app = Starlette(routes=[Mount("/feedback", feedback_app(taker, TOKENS))], lifespan=lifespan)
    log_id, token = rated
    reply = open_browser(serve(app)).post("/feedback/", json={"token": token, "value": -1, "score": 20})
    assert reply.json() == {"accepted": True}
    assert reply.status_code == (202 if "queue" in kind else 200)
    log = wait_for(client, log_id)
    assert (log.feedback, log.score) == (-1, 20)


def wait_for(client, log_id):
    deadline = time.monotonic() + 5
    while (log := client.gateway().get_log(log_id)).feedback is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return log


def test_an_event_id_finds_its_log(client, open_app):
    answer = client.chat(CHAT, gateway={"event_id": "turn 17"})
    token = TOKENS.issue(ResponseInfo(event_id="turn 17"))
    assert open_app().post("/", json={"token": token, "value": 1}).status_code == 200
    assert client.gateway().get_log(answer.info.log_id).feedback == 1


def test_a_token_names_the_gateway(client, open_app):
    answer = client.chat(CHAT, gateway={"id": "docs-bot"})
    token = TOKENS.issue(answer.info.log_id, "docs-bot")
    assert open_app().post("/", json={"token": token, "value": 1}).status_code == 200
    assert client.gateway("docs-bot").get_log(answer.info.log_id).feedback == 1


def test_what_is_left_out_stays_and_null_clears(client, rated, open_app):
    log_id, token = rated
    browser = open_app()
    seen = []
    for said in ({"value": 1, "score": 50}, {"score": 75}, {"value": None}, {"value": 0, "score": None}):
        assert browser.post("/", json={"token": token, **said}).status_code == 200
        log = client.gateway().get_log(log_id)
        seen.append((log.feedback, log.score))
    assert seen == [(1, 50), (1, 75), (None, 75), (0, None)]


def test_a_token_can_be_used_again_and_the_last_write_wins(client, rated, open_app):
    log_id, token = rated
    browser = open_app()
    for value in (1, -1, 1):
        browser.post("/", json={"token": token, "value": value})
    assert client.gateway().get_log(log_id).feedback == 1


def test_a_comment_goes_into_the_metadata_of_the_log_beside_what_is_there(client, open_app):
    answer = client.chat(CHAT, gateway={"metadata": {"user": "ann"}})
    token = TOKENS.issue(answer)
    reply = open_app(max_comment=12).post(
        "/", json={"token": token, "value": -1, "comment": "  Wrong price, and rude "}
    )
    assert reply.status_code == 200
    assert client.gateway().get_log(answer.info.log_id).metadata == {"user": "ann", "comment": "Wrong price,"}


@pytest.mark.parametrize("is_async", [False, True])
def test_a_comment_can_be_taken_by_a_function_instead(is_async, client, rated, open_app):
    log_id, token = rated
    taken = []

    def take(target, comment):
        taken.append((target.log_id, comment))

    async def take_async(target, comment):
        take(target, comment)

    browser = open_app(on_comment=take_async if is_async else take)
    assert browser.post("/", json={"token": token, "comment": "Too long."}).status_code == 200
    assert taken == [(log_id, "Too long.")]
    assert client.gateway().get_log(log_id).metadata is None


NO_FEEDBACK = [
    {},
    {"comment": "  "},
    {"value": 2},
    {"value": True},
    {"value": "1"},
    {"value": [1]},
    {"score": 101},
    {"score": -0.5},
    {"score": "9"},
    {"score": True},
    {"comment": 7},
    {"value": 1, "log_id": "another"},
    {"value": 1, "token": None},
    {"value": 1, "token": 7},
]


@pytest.mark.parametrize("said", NO_FEEDBACK)
def test_what_cannot_be_feedback_is_refused_in_a_sentence(said):
    with pytest.raises(Refusal) as caught:
        read_post(json.dumps({"token": "t", **said}).encode(), (0, 100))
    refusal = caught.value
    assert (refusal.status, refusal.code) == (400, "bad_request")
    assert refusal.message.endswith(".")
    assert "another" not in refusal.message


def test_what_was_refused_changed_nothing(client, rated, open_app):
    log_id, token = rated
    browser = open_app()
    assert {browser.post("/", json={"token": token, **said}).status_code for said in NO_FEEDBACK} == {400}
    assert client.gateway().get_log(log_id).feedback is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"token": "\\ud800", "value": 1}',
        b"[" * 5000,
        b'{"token": "t", "score": NaN}',
        b'{"token": "t", "score": 1e999}',
    ],
)
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(Refusal) as caught:
        read_post(body, (0, 100))
    assert caught.value.status == 400


def test_scores_can_have_another_range_or_none(client, rated, open_app):
    log_id, token = rated
    stars = open_app(score_range=(1, 5))
    assert stars.post("/", json={"token": token, "score": 5}).status_code == 200
    assert stars.post("/", json={"token": token, "score": 6}).json()["message"] == "score: a number from 1 to 5."
    assert open_app(score_range=None).post("/", json={"token": token, "score": 5}).status_code == 400
    assert client.gateway().get_log(log_id).score == 5


def test_a_token_that_is_not_ours_and_one_that_expired_are_told_apart_only_when_ours(rated, open_app, monkeypatch):
    browser = open_app()
    forged = FeedbackTokens("another secret of theirs").issue("log")
    replies = [browser.post("/", json={"token": token, "value": 1}) for token in (forged, "nonsense", rated[1] + "x")]
    assert {(reply.status_code, reply.text) for reply in replies} == {(401, replies[0].text)}
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 8 * 86_400)
    expired = browser.post("/", json={"token": rated[1], "value": 1})
    assert (expired.status_code, expired.json()["error"]) == (410, "expired")


def test_what_any_page_could_send_without_asking_is_refused(rated, open_app):
    browser, body = open_app(), json.dumps({"token": rated[1], "value": 1}).encode()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"):
        reply = browser.post("/", content=body, headers={"content-type": content_type})
        assert (reply.status_code, reply.json()["error"]) == (415, "not_json")
    assert browser.post("/", content=body).status_code == 415


def test_json_with_a_charset_is_json(rated, open_app):
    body = json.dumps({"token": rated[1], "value": 1}).encode()
    reply = open_app().post("/", content=body, headers={"content-type": "Application/JSON; charset=utf-8"})
    assert reply.status_code == 200


def test_a_body_that_is_too_large_is_refused_without_being_read(open_app):
    headers = {"content-type": "application/json"}
    reply = open_app().post("/", content=(b" " * 1024 for _ in range(40)), headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (413, "too_large")


def test_a_browser_that_goes_away_in_the_middle_of_its_body_leaves_the_app_at_work(rated, open_app):
    browser = open_app()
    address = urlsplit(str(browser.base_url))
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        )
    assert browser.post("/", json={"token": rated[1], "value": 1}).status_code == 200


def test_only_posts_are_taken(open_app):
    browser = open_app()
    assert {browser.request(method, "/").status_code for method in ("GET", "PUT", "DELETE", "OPTIONS")} == {405}


def test_a_token_is_used_only_so_often_in_a_minute(client, open_app):
    browser = open_app(token_rate_limit=2)
    first, second = (TOKENS.issue(client.chat(CHAT)) for _ in range(2))
    assert [browser.post("/", json={"token": first, "value": 1}).status_code for _ in range(3)] == [200, 200, 429]
    assert browser.post("/", json={"token": second, "value": 1}).status_code == 200


def test_an_address_posts_only_so_often_in_a_minute_whatever_it_posts(rated, open_app):
    browser = open_app(rate_limit=3)
    for _ in range(3):
        assert browser.post("/", json={"token": "nonsense", "value": 1}).status_code == 401
    reply = browser.post("/", json={"token": rated[1], "value": 1})
    assert (reply.status_code, reply.json()["error"]) == (429, "too_many")
    assert 1 <= int(reply.headers["retry-after"]) <= 20


def test_behind_a_proxy_that_the_server_believes_each_of_its_clients_is_counted(client, serve, open_browser, rated):
    app = feedback_app(client, TOKENS, rate_limit=1)
    believing, doubting = (
        serve(app, forwarded_allow_ips="*"),
        serve(feedback_app(client, TOKENS, rate_limit=1), proxy_headers=False),
    )
    statuses = []
    for url in (believing, doubting):
        browser = open_browser(url)
        for address in ("203.0.113.7", "203.0.113.8", "2001:db8::1", "2001:db8::2"):
            headers = {"x-forwarded-for": address}
            statuses.append(browser.post("/", json={"token": rated[1], "value": 1}, headers=headers).status_code)
    believed, doubted = statuses[:4], statuses[4:]
    assert believed == [200, 200, 200, 429]  # two addresses of one IPv6 network are one
    assert doubted == [200, 429, 429, 429]


@pytest.mark.parametrize(("origins", "allowed"), [([ORIGIN], ORIGIN), (["*"], "*"), ([], None), (["https://x"], None)])
def test_a_page_of_another_origin_may_post_only_when_it_is_named(origins, allowed, rated, open_app):
    browser = open_app(allow_origins=origins)
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    preflight = browser.options("/", headers={"origin": ORIGIN, **asks})
    reply = browser.post("/", json={"token": rated[1], "value": 1}, headers={"origin": ORIGIN})
    told = [answer.headers.get("access-control-allow-origin") for answer in (preflight, reply)]
    assert told == [allowed, allowed]
    assert (preflight.status_code == 200) == (allowed is not None)
    assert "access-control-allow-credentials" not in preflight.headers


def test_a_refusal_can_be_read_by_a_page_of_another_origin(open_app):
    reply = open_app(allow_origins=[ORIGIN], rate_limit=1)
    headers = {"origin": ORIGIN}
    reply.post("/", json={"token": "x", "value": 1}, headers=headers)
    refused = reply.post("/", json={"token": "x", "value": 1}, headers=headers)
    assert refused.status_code == 429
    assert refused.headers["access-control-allow-origin"] == ORIGIN
    assert refused.headers["access-control-expose-headers"] == "Retry-After"


def test_a_log_that_is_not_there_is_said_so(open_app, monkeypatch):
    monkeypatch.setattr("aigw.feedback._outlets.WAIT", 0.1)
    reply = open_app().post("/", json={"token": TOKENS.issue("no such log"), "value": 1})
    assert (reply.status_code, reply.json()["error"]) == (404, "no_log")


def test_a_gateway_that_refuses_is_told_to_the_log_of_the_server_and_not_to_the_browser(
    aigw_local_factory, open_app, caplog
):
    gateway = aigw_local_factory(tokens=["right"])
    with AIGateway("acme", "wrong-token", base_url=gateway.base_url) as wrong:
        reply = open_app(wrong).post("/", json={"token": TOKENS.issue("log"), "value": 1})
    assert (reply.status_code, reply.json()["error"]) == (502, "not_delivered")
    assert "AuthenticationError" in caplog.text
    assert "wrong-token" not in reply.text + caplog.text


def test_a_gateway_that_cannot_be_reached_asks_for_patience(open_app):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]  # taken, and nobody listens
        with AIGateway("acme", "t", base_url=f"http://127.0.0.1:{port}", max_retries=0) as lost:
            reply = open_app(lost).post("/", json={"token": TOKENS.issue("log"), "value": 1})
    assert (reply.status_code, reply.json()["error"]) == (503, "busy")
    assert int(reply.headers["retry-after"]) > 0


def test_a_full_queue_asks_for_patience(open_app, monkeypatch, client):
    def refuse(*_, **__):
        raise FeedbackQueueFullError("full")

    with FeedbackQueue(client) as queue:
        monkeypatch.setattr(queue, "feedback", refuse)
        reply = open_app(queue).post("/", json={"token": TOKENS.issue("log"), "value": 1})
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "5")


def test_nothing_that_is_sent_back_may_be_kept_and_none_of_it_is_a_credential(rated, open_app):
    browser = open_app()
    replies = [browser.post("/", json={"token": token, "value": 1}) for token in (rated[1], "nonsense")]
    assert {reply.headers["cache-control"] for reply in replies} == {"no-store"}
    assert not any(API_TOKEN in reply.text + str(reply.headers) for reply in replies)


@pytest.mark.parametrize(
    "settings",
    [
        {"allow_origins": "https://one.example.com"},
        {"rate_limit": 0},
        {"rate_limit": True},
        {"token_rate_limit": 1.5},
        {"max_comment": -1},
        {"score_range": (5, 1)},
        {"score_range": 100},
        {"score_range": (0, float("inf"))},
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings, client):
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        feedback_app(client, TOKENS, **settings)


def test_what_is_neither_client_nor_queue_is_refused():
    with pytest.raises(ConfigurationError, match="give a client or a queue"):
        feedback_app("client", TOKENS)


def test_a_rate_limit_gives_back_its_allowance_evenly():
    now = [0.0]
    limit = RateLimit(6, clock=lambda: now[0])
    assert [limit.take("a") for _ in range(6)] == [0] * 6
    assert limit.take("a") == pytest.approx(10)
    now[0] = 10
    assert [limit.take("a") > 0 for _ in range(2)] == [False, True]
    now[0] = 1000
    assert [limit.take("a") > 0 for _ in range(7)] == [False] * 6 + [True]


def test_a_rate_limit_remembers_only_so_many_names():
    limit = RateLimit(1, clock=lambda: 0.0, max_names=100)
    for number in range(1000):
        limit.take(str(number))
    assert len(limit._whole_at) == 100
    assert limit.take("999") > 0
    assert limit.take("0") == 0
