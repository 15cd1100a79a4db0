"""The official SDKs against a real server: what their users see works unchanged."""

import anthropic
import cloudflare
import openai
import pytest

QUESTION = [{"role": "user", "content": "Paris is the capital of France. What is the capital of France?"}]


@pytest.fixture
def logs(aigw_local):
    with cloudflare.Cloudflare(
        api_token="test-token", base_url=f"{aigw_local.base_url}/client/v4", max_retries=0
    ) as client:
        yield client.ai_gateway.logs


@pytest.fixture
def openai_client(aigw_local):
    base_url = f"{aigw_local.base_url}/client/v4/accounts/acct/ai/v1"
    with openai.OpenAI(api_key="test-token", base_url=base_url, max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(aigw_local):
    base_url = f"{aigw_local.base_url}/v1/acct/default/anthropic"
    with anthropic.Anthropic(api_key="provider-key", base_url=base_url, max_retries=0) as client:
        yield client


def get(logs, log_id):
    return logs.get(log_id, account_id="acct", gateway_id="default")


def test_openai_chat(openai_client, logs):
    raw = openai_client.chat.completions.with_raw_response.create(model="openai/gpt-5-mini", messages=QUESTION)
    assert "Paris" in raw.parse().choices[0].message.content
    assert get(logs, raw.headers["cf-aig-log-id"]).tokens_out == raw.parse().usage.completion_tokens


def test_openai_chat_streamed(openai_client, logs):
    raw = openai_client.chat.completions.with_raw_response.create(
        model="openai/gpt-5-mini", messages=QUESTION, stream=True
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in raw.parse() if chunk.choices)
    assert "Paris" in text
    assert get(logs, raw.headers["cf-aig-log-id"]).success is True


def test_openai_responses_and_embeddings(openai_client):
    response = openai_client.responses.create(model="openai/gpt-5-mini", input=QUESTION[0]["content"])
    assert "Paris" in response.output_text
    answer = openai_client.embeddings.create(model="openai/text-embedding-3-small", input=["one", "two"])
    assert len(answer.data) == 2


def test_openai_responses_streamed(openai_client):
    with openai_client.responses.stream(model="openai/gpt-5-mini", input=QUESTION[0]["content"]) as stream:
        assert "Paris" in stream.get_final_response().output_text


def test_openai_errors_have_their_class(openai_client):
    with pytest.raises(openai.NotFoundError):
        openai_client.chat.completions.create(model="gpt-5-mini", messages=QUESTION)


def test_anthropic_messages(anthropic_client, logs):
    raw = anthropic_client.messages.with_raw_response.create(model="claude-haiku-4-5", max_tokens=50, messages=QUESTION)
    assert "Paris" in raw.parse().content[0].text
    log = get(logs, raw.headers["cf-aig-log-id"])
    assert (log.provider, log.model) == ("local", "anthropic/claude-haiku-4-5")


def test_anthropic_messages_streamed(anthropic_client, logs):
    with anthropic_client.messages.stream(model="claude-haiku-4-5", max_tokens=50, messages=QUESTION) as stream:
        assert "Paris" in "".join(stream.text_stream)
        log_id = stream.response.headers["cf-aig-log-id"]
    assert get(logs, log_id).tokens_out == stream.get_final_message().usage.output_tokens


def test_cloudflare_logs_are_listed_read_and_edited(openai_client, logs):
    raw = openai_client.chat.completions.with_raw_response.create(
        model="openai/gpt-5-mini", messages=QUESTION, extra_headers={"cf-aig-metadata": '{"plan":"gold"}'}
    )
    log_id = raw.headers["cf-aig-log-id"]
    assert [log.id for log in logs.list("default", account_id="acct")] == [log_id]
    logs.edit(log_id, account_id="acct", gateway_id="default", feedback=1, score=90)
    log = get(logs, log_id)
    assert (log.feedback, log.score) == (1, 90)
    request = logs.request(log_id, account_id="acct", gateway_id="default")
    assert request["messages"] == QUESTION
