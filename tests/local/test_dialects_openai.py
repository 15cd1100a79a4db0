from __future__ import annotations

import pytest

from aigw.local._dialects import DIALECTS, InvalidBody


def test_the_dialects_are_these():
    assert {name: dialect.endpoint for name, dialect in DIALECTS.items()} == {
        "chat": "chat/completions",
        "embeddings": "embeddings",
        "messages": "chat/completions",
        "responses": "chat/completions",
        "workers-ai": "chat/completions",
        "google": "chat/completions",
        "google-array": "chat/completions",
        "google-sse": "chat/completions",
        "google-embed": "embeddings",
        "google-embed-batch": "embeddings",
        "bedrock-claude": "chat/completions",
        "bedrock-claude-stream": "chat/completions",
        "converse": "chat/completions",
        "converse-stream": "chat/completions",
        "cohere": "chat/completions",
        "cohere-embed": "embeddings",
        "raw": "",
    }


@pytest.mark.parametrize("name", ["chat", "embeddings"])
def test_openais_own_bodies_are_left_alone(name):
    body = {"model": "gpt", "anything": [1]}
    assert DIALECTS[name].ask(body) == {"model": "gpt", "anything": [1]}
    assert DIALECTS[name].answer({"id": "x"}, model="gpt") == {"id": "x"}


def test_chunks_are_passed_on_and_the_stream_ends_with_done():
    stream = DIALECTS["chat"].stream("gpt")
    assert stream.feed({"choices": []}) + stream.close() == b'data: {"choices":[]}\n\ndata: [DONE]\n\n'


def test_embeddings_do_not_stream():
    with pytest.raises(InvalidBody, match="come whole"):
        DIALECTS["embeddings"].stream("e5")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (401, "authentication_error"), (429, "rate_limit_error"), (502, "server_error")],
)
@pytest.mark.parametrize("name", ["chat", "embeddings", "responses"])
def test_an_error_in_openais_words(name, status, kind):
    assert DIALECTS[name].error(status, "no") == {"error": {"message": "no", "type": kind, "param": None, "code": None}}
