"""No credential in any repr, text, error, pickle or log."""

import logging
import pickle
import traceback

import pytest

from aigw import AIGateway, APIStatusError, AsyncAIGateway, capture_logs
from aigw._account import Account
from aigw._calls import _log_calls, _model_calls, _universal
from aigw._http import Headers, Request

SECRETS = ("cf-token-0123456789", "logs-token-0123456789", "own-key-0123456789")
SETTINGS = dict(zip(("api_token", "logs_token", "provider_key"), SECRETS, strict=True))
STEP_KEY = "step-key-0123456789"
STEP = {"provider": "openai", "endpoint": "x", "query": {}, "headers": {"Authorization": f"Bearer {STEP_KEY}"}}
CHAT = {"model": "openai/gpt-5-mini", "messages": []}


def leaks(text):
    return [secret for secret in (*SECRETS, STEP_KEY) if secret in text]


@pytest.mark.parametrize("client_class", [AIGateway, AsyncAIGateway])
def test_no_repr_of_a_client_shows_one(client_class):
    client = client_class("acct", **SETTINGS)

    assert leaks(f"{client!r} {client} {client.gateway()!r} {client._account!r} {client._engine!r}") == []


def test_no_repr_of_a_described_call_shows_one():
    account = Account("acct", **SETTINGS)
    described = [
        account,
        _model_calls.chat(account, {}, CHAT),
        _model_calls.stream_chat(account, {}, CHAT),
        _model_calls.raw(account, {}, "messages", {"model": "anthropic/m"}),
        _log_calls.get_log(account, "gw", "1"),
        _universal.run_steps(account, {}, [{**STEP, "query": "a body is not shown"}]),
    ]

    assert leaks(repr(described)) == []


def test_no_repr_of_headers_or_requests_shows_one():
    pairs = (("Authorization", SECRETS[0]), ("CF-AIG-Authorization", SECRETS[1]), ("x-api-key", SECRETS[2]))

    assert leaks(f"{Headers(pairs)!r} {Request('POST', 'http://x', pairs)!r}") == []


@pytest.mark.parametrize("status", [400, 401, 200])
@pytest.mark.parametrize("body", [*SECRETS, f'{{"error": {{"message": "bad {SECRETS[0]}", "x": ["{SECRETS[2]}"]}}}}'])
async def test_no_error_repeats_what_the_server_echoes(driver, server, wire, status, body):
    server.will(wire.Reply(status, (("content-type", "application/json"),), (body.encode(),)))
    client = driver.client(server, **SETTINGS)

    with pytest.raises(APIStatusError) as failed:
        await driver.done(client.chat(CHAT))
    assert leaks("".join(traceback.format_exception(failed.value))) == []
    assert leaks(f"{failed.value!r} {failed.value.__dict__} {pickle.dumps(failed.value)}") == []


async def test_no_error_repeats_the_key_of_a_step(driver, server, wire):
    server.will(wire.json({"error": {"message": f"bad {STEP_KEY}"}}, 401))

    with pytest.raises(Exception, match="bad") as failed:
        await driver.done(driver.client(server, **SETTINGS).gateway().run([STEP]))
    assert leaks(f"{failed.value} {failed.value.__dict__}") == []


async def test_no_error_event_of_a_stream_repeats_one(driver, server, wire):
    event = f'data: {{"error": {{"message": "bad {SECRETS[2]}", "x": "{SECRETS[0]}"}}}}\n\n'
    server.will(wire.sse(event.encode()))

    with pytest.raises(Exception, match="bad") as failed:
        await driver.items(await driver.done(driver.client(server, **SETTINGS).stream_chat(CHAT)))
    assert leaks(f"{failed.value} {failed.value.__dict__} {pickle.dumps(failed.value)}") == []


@pytest.mark.usefixtures("no_backoff")
async def test_no_connection_error_shows_one(driver):
    with pytest.raises(Exception, match="No answer") as failed:
        await driver.done(driver.client("http://127.0.0.1:9", **SETTINGS).chat(CHAT))

    assert leaks("".join(traceback.format_exception(failed.value)) + repr(failed.value.__dict__)) == []


async def test_no_log_record_shows_one_even_at_debug(driver, server, wire, caplog):
    caplog.set_level(logging.DEBUG)
    server.will(wire.json(wire.completion(), 200, *wire.ids))
    client = driver.client(server, **SETTINGS)
    await driver.done(client.chat(CHAT))
    await driver.done(client.gateway().run([STEP]))

    assert leaks(caplog.text) == []


async def test_no_result_nor_capture_shows_one(driver, server, wire):
    server.will(wire.json(wire.completion(), 200, *wire.ids, ("cf-aig-authorization", SECRETS[0])))
    with capture_logs() as logs:
        result = await driver.done(driver.client(server, **SETTINGS).chat(CHAT))

    assert leaks(f"{result!r} {logs!r} {list(logs)!r} {pickle.dumps(result)}") == []
