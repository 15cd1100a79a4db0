"""The credentials of a model: used where they belong, and in no text about the model."""

import pickle
import traceback

import httpx
import pytest
from langchain_core.load import dumpd

import aigw
from langchain_aigw import ChatCloudflareAIGateway

LOGS_TOKEN = "logs-token-0123456789"
SECRET = "planted-secret-0123456789"
NAMES = ["api_token", "provider_key", "logs_token"]
PASSWORD = "http://user:planted-secret-0123456789@gateway.example"


def told_by(model):
    return [repr(model), str(model), repr(model.model_dump()), repr(list(model.__repr_args__()))]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "wrap", [lambda text: (text,), lambda text: [text], lambda text: {"a": text}, lambda text: f"{text}\n"]
)
def test_no_error_of_a_wrong_credential_shows_it(adapter, name, wrap):
    for make in (adapter.make, adapter.make_embeddings):
        with pytest.raises((ValueError, TypeError), match=name) as refused:
            make(model="openai/m", account_id="acct", **{name: wrap(SECRET)})
        shown = [str(refused.value), repr(refused.value), *traceback.format_exception_only(refused.value)]
        assert [text for text in shown if SECRET in text] == []


def test_no_error_of_another_field_shows_what_was_given(adapter):
    with pytest.raises(ValueError, match="max_retries") as refused:
        adapter.make(model="openai/m", max_retries=SECRET, api_token=SECRET)
    assert SECRET not in f"{refused.value} {refused.value!r}"


@pytest.mark.parametrize("url", [PASSWORD, [PASSWORD]])
def test_a_password_in_a_url_is_refused_and_not_shown(adapter, url):
    for make in (adapter.make, adapter.make_embeddings):
        with pytest.raises(ValueError, match="base_url") as refused:
            make(model="openai/m", base_url=url)
        assert "planted-secret" not in f"{refused.value} {refused.value!r}"


def test_a_token_for_logs_is_in_no_text_of_a_model(adapter):
    for make in (adapter.make, adapter.make_embeddings):
        model = make(model="openai/m", account_id="acct", api_token="test-token", logs_token=LOGS_TOKEN)
        assert [text for text in told_by(model) if LOGS_TOKEN in text] == []


def test_a_token_for_logs_is_for_logs_alone(adapter, make, gateway):
    sent = []
    with httpx.Client(event_hooks={"request": [sent.append]}) as http_client:
        with adapter.package.capture_logs() as captured:
            adapter.ask(make(logs_token=LOGS_TOKEN, http_client=http_client))
        captured.feedback(1)

    call, rating = sent
    assert call.headers["authorization"] == "Bearer test-token"
    assert LOGS_TOKEN not in call.content.decode()
    assert rating.headers["authorization"] == f"Bearer {LOGS_TOKEN}"
    assert [log.feedback for log in gateway.logs] == [1]


def test_langchain_writes_the_name_of_a_token_for_logs_and_not_the_token():
    model = ChatCloudflareAIGateway(model="openai/m", account_id="acct", api_token="t", logs_token=LOGS_TOKEN)
    written = dumpd(model)["kwargs"]
    assert written["logs_token"] == {"lc": 1, "type": "secret", "id": ["AIGW_LOGS_TOKEN"]}


@pytest.mark.usefixtures("adapter")
def test_a_pickled_model_still_has_its_token_for_logs(make):
    model = pickle.loads(pickle.dumps(make(logs_token=LOGS_TOKEN)))  # noqa: S301
    assert model._sync_client()._account.logs_token == LOGS_TOKEN


def test_a_token_for_logs_is_no_keyword_of_a_call(adapter, make, gateway):
    with pytest.raises(aigw.ConfigurationError, match="logs_token cannot be given with a call"):
        adapter.ask(make(), logs_token=SECRET)
    assert gateway.requests == []
