"""Feedback tokens: what they hold, how long, how short, and whom they refuse."""

import base64
import pickle
import string
import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw import AIGateway, AIGatewayError, ConfigurationError, LogResolver, ResponseInfo, capture_logs
from aigw.feedback import FeedbackQueue, FeedbackTarget, FeedbackTokenError, FeedbackTokens

SECRET = "correct horse battery staple"
LOG = "0199d1a2-7c3b-7def-8123-456789abcdef"
ULID = "01JADMCQQQBWH3NXZ5GCRN98DP"
RUN = "6b1c7d5e-3f2a-4c1d-9e8f-0a1b2c3d4e5f"
TOKENS = FeedbackTokens(SECRET)
URL_SAFE = frozenset(string.ascii_letters + string.digits + "-._~")


@pytest.fixture
def wait(monkeypatch):
    """Let seconds pass."""
    passed = [0.0]
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + passed[0])
    return lambda seconds: passed.__setitem__(0, passed[0] + seconds)


@pytest.mark.parametrize(
    "target",
    [
        FeedbackTarget("docs-bot", LOG, RUN),
        FeedbackTarget("docs-bot", ULID, None),
        FeedbackTarget("g" * 64, None, "order 17/ü"),
        FeedbackTarget(None, LOG, None),
    ],
)
def test_what_was_issued_is_read(target):
    assert TOKENS.read(TOKENS.issue(target.info)) == target


@given(
    st.text("abcXYZ019_-", min_size=1, max_size=64),
    st.text(min_size=1, max_size=80).filter(str.strip),
    st.text(max_size=80),
)
def test_ids_of_any_text_come_back_as_they_were(gateway, log, event):
    token = TOKENS.issue(ResponseInfo(gateway_id=gateway, log_id=log, event_id=event))
    read = TOKENS.read(token)
    assert (read.gateway_id, read.log_id) == (gateway, log)
    assert read.event_id in (event or None, None)
    assert set(token) <= URL_SAFE


@given(*[st.text(string.ascii_letters + string.digits + "._-", min_size=64, max_size=64)] * 2)
def test_a_token_of_the_longest_ids_is_below_200_bytes(log, event):
    info = ResponseInfo(gateway_id="g" * 64, log_id=log, event_id=event)
    assert len(TOKENS.issue(info)) < 200
    assert len(TOKENS.issue(info.model_copy(update={"log_id": None}))) < 200


def test_a_usual_token_holds_both_ids_in_little_room():
    token = TOKENS.issue(ResponseInfo(gateway_id="default", log_id=LOG, event_id=RUN))
    assert len(token) < 110
    assert TOKENS.read(token).event_id == RUN


def test_an_event_id_beside_a_log_id_is_left_out_rather_than_a_long_token_made():
    token = TOKENS.issue(ResponseInfo(gateway_id="g" * 64, log_id="l" * 64, event_id="e" * 64))
    assert TOKENS.read(token) == FeedbackTarget("g" * 64, "l" * 64, None)


@pytest.mark.parametrize(
    ("handle", "target"),
    [
        (LOG, FeedbackTarget("mine", LOG)),
        (UUID(RUN), FeedbackTarget("mine", None, RUN)),
        (ResponseInfo(log_id=LOG, gateway_id="its"), FeedbackTarget("its", LOG)),
        (AIGatewayError("failed", info=ResponseInfo(log_id=LOG)), FeedbackTarget("mine", LOG)),
        ({"log_id": LOG, "event_id": RUN}, FeedbackTarget("mine", LOG, RUN)),
    ],
)
def test_a_token_is_issued_for_any_handle_that_names_its_call(handle, target):
    assert TOKENS.read(TOKENS.issue(handle, "mine")) == target


@pytest.mark.parametrize("framework", ["langchain", "llamaindex"])
def test_a_token_is_issued_for_an_adapters_answer(framework, aigw_local):
    given = {"account_id": "acme", "api_token": "test-token", "base_url": aigw_local.base_url, "gateway_id": "bot"}
    if framework == "langchain":
        model = pytest.importorskip("langchain_aigw").ChatCloudflareAIGateway(model="openai/gpt-4.1-mini", **given)
        answer = model.invoke("Hello")
        log_id = answer.response_metadata["aigw"]["log_id"]
    else:
        model = pytest.importorskip("llamaindex_aigw").CloudflareAIGateway(model="openai/gpt-4.1-mini", **given)
        answer = model.complete("Hello")
        log_id = answer.additional_kwargs["aigw"]["log_id"]
    read = TOKENS.read(TOKENS.issue(answer))
    assert (read.gateway_id, read.log_id) == ("bot", log_id)


def test_a_token_of_a_capture_is_for_its_last_call(aigw_local):
    with AIGateway("acme", "test-token", base_url=aigw_local.base_url) as client, capture_logs() as captured:
        for text in ("one", "two"):
            client.chat({"model": "openai/gpt-4.1-mini", "messages": [{"role": "user", "content": text}]})
        assert TOKENS.read(TOKENS.issue(captured[-1])).log_id == captured.log_ids[-1]


@pytest.mark.parametrize("handle", ["", " ", None, 7, ResponseInfo(), ["text"]])
def test_no_token_is_issued_for_what_means_no_call(handle):
    with pytest.raises(ConfigurationError):
        TOKENS.issue(handle)


def test_no_token_is_issued_for_what_is_no_gateway():
    with pytest.raises(ConfigurationError, match="gateway_id cannot be 'a b'"):
        TOKENS.issue(LOG, "a b")


def test_a_token_is_read_until_its_last_second_and_then_has_expired(wait):
    tokens = FeedbackTokens(SECRET, max_age=60)
    token = tokens.issue(LOG)
    wait(58)
    assert tokens.read(token).log_id == LOG
    wait(4)
    with pytest.raises(FeedbackTokenError, match="expired") as caught:
        tokens.read(token)
    assert caught.value.is_expired


def test_a_token_of_a_machine_whose_clock_is_ahead_is_read(wait):
    wait(30)
    token = TOKENS.issue(LOG)
    wait(-30)
    assert TOKENS.read(token).log_id == LOG


def test_a_token_can_be_read_again():
    token = TOKENS.issue(LOG)
    assert TOKENS.read(token) == TOKENS.read(token)


def test_any_changed_letter_is_refused():
    token = TOKENS.issue(ResponseInfo(gateway_id="default", log_id=ULID))
    for place, letter in enumerate(token[:-1]):  # of the last letter of base64 two bits mean nothing
        changed = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        with pytest.raises(FeedbackTokenError):
            TOKENS.read(changed)


@pytest.mark.parametrize(
    "text", ["", ".", "...", "a.b.c", "~~", "\x00", "ü" * 60, "\ud800", "a" * 100_000, None, 7, b"bytes", ["list"]]
)
def test_what_is_no_token_is_refused_as_a_forged_one_is(text):
    forged = FeedbackTokens("another secret of theirs").issue(LOG)
    messages = []
    for token in (text, forged):
        with pytest.raises(FeedbackTokenError) as caught:
            TOKENS.read(token)
        messages.append((str(caught.value), caught.value.is_expired))
    assert messages[0] == messages[1] == ("the feedback token is not valid", False)


@given(st.text())
def test_no_text_makes_reading_fail_otherwise(text):
    with pytest.raises(FeedbackTokenError):
        TOKENS.read(text)


def test_a_signature_made_for_something_else_with_the_same_secret_is_refused():
    itsdangerous = pytest.importorskip("itsdangerous")
    foreign = itsdangerous.TimestampSigner(SECRET).sign(f"default~t{LOG}~").decode()
    with pytest.raises(FeedbackTokenError):
        TOKENS.read(foreign)


def test_tokens_of_the_previous_secret_are_read_and_new_ones_are_signed_with_the_new():
    old, new = "the secret of last year", "the secret of this year"
    turned = FeedbackTokens(new, previous=[old])
    assert turned.read(FeedbackTokens(old).issue(LOG)).log_id == LOG
    assert FeedbackTokens(new).read(turned.issue(LOG)).log_id == LOG
    with pytest.raises(FeedbackTokenError):
        FeedbackTokens(old).read(turned.issue(LOG))


@pytest.mark.parametrize("secret", ["", "short", b"fifteen bytes..", None, 17])
def test_a_secret_that_can_be_guessed_is_refused_and_not_shown(secret):
    with pytest.raises(ConfigurationError) as caught:
        FeedbackTokens(secret)
    assert not secret or str(secret) not in str(caught.value)
    with pytest.raises(ConfigurationError):
        FeedbackTokens(SECRET, previous=[secret])


def test_a_single_secret_is_not_taken_for_a_list_of_them():
    with pytest.raises(ConfigurationError, match="list of secrets"):
        FeedbackTokens(SECRET, previous=SECRET)


@pytest.mark.parametrize("max_age", [0, -1, True, "60", float("nan")])
def test_an_age_that_is_none_is_refused(max_age):
    with pytest.raises(ConfigurationError, match="max_age"):
        FeedbackTokens(SECRET, max_age=max_age)


def test_the_secret_is_in_no_repr_and_no_token():
    token = TOKENS.issue(LOG)
    shown = repr(TOKENS) + repr(TOKENS.read(token)) + token
    assert SECRET not in shown
    assert base64.urlsafe_b64encode(SECRET.encode()).decode() not in shown


def test_the_error_pickles():
    error = FeedbackTokenError("the feedback token has expired")
    error.is_expired = True
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(again), again.is_expired) == (str(error), True)


def test_a_read_token_is_a_handle_of_the_resolver(aigw_local):
    with AIGateway("acme", "test-token", base_url=aigw_local.base_url) as client:
        answer = client.chat({"model": "openai/gpt-4.1-mini", "messages": [{"role": "user", "content": "Hello"}]})
        target = TOKENS.read(TOKENS.issue(answer))
        assert LogResolver(client).feedback(target, -1) == [answer.info.log_id]
        assert client.gateway().get_log(answer.info.log_id).feedback == -1


def test_a_read_token_is_a_handle_of_the_queue(aigw_local):
    with AIGateway("acme", "test-token", base_url=aigw_local.base_url) as client:
        answer = client.chat(
            {"model": "openai/gpt-4.1-mini", "messages": [{"role": "user", "content": "Hello"}]}, gateway={"id": "bot"}
        )
        with FeedbackQueue(client) as queue:
            queue.feedback(TOKENS.read(TOKENS.issue(answer)), -1)
            assert queue.flush(10)
        assert client.gateway("bot").get_log(answer.info.log_id).feedback == -1
