"""What Cloudflare's own Workers runtime sends for the same calls, beside what this client sends.

The right-hand sides were recorded from workerd 2026-11-17 with an `AI` binding whose inner service was a recording
server. The runtime talks to a host of its own, so that paths differ; headers and bodies must not.
"""

from __future__ import annotations

import json

import pytest

OPTIONS = {
    "skip_cache": True,
    "cache_ttl": 120,
    "cache_key": "k",
    "metadata": {"user": "é", "n": 1, "b": True},
    "collect_log": False,
    "event_id": "ev",
    "request_timeout_ms": 5000,
    "retries": {"max_attempts": 3, "retry_delay_ms": 100, "backoff": "exponential"},
}
STEP = {
    "provider": "openai",
    "endpoint": "chat/completions",
    "headers": {"authorization": "Bearer sk-x", "x-n": 3, "x-b": True, "x-o": {"a": 1}},
    "query": {"model": "gpt-4o", "messages": []},
}
RUNTIME_OPTION_HEADERS = {
    "cf-aig-backoff": "exponential",
    "cf-aig-cache-key": "k",
    "cf-aig-cache-ttl": "120",
    "cf-aig-collect-log": "false",
    "cf-aig-event-id": "ev",
    "cf-aig-max-attempts": "3",
    "cf-aig-metadata": '{"user":"é","n":1,"b":true}',
    "cf-aig-request-timeout": "5000",
    "cf-aig-retry-delay": "100",
    "cf-aig-skip-cache": "true",
}
RUNTIME_STEPS = (
    b'[{"provider":"openai","endpoint":"chat/completions",'
    b'"headers":{"authorization":"Bearer sk-x","x-n":"3","x-b":"true","x-o":"{\\"a\\":1}"},'
    b'"query":{"model":"gpt-4o","messages":[]}}]'
)


async def test_gateway_run_sends_the_runtimes_option_headers(driver, server, wire):
    server.will(wire.json({}))
    await driver.done(driver.client(server).gateway("g").run([STEP], options=OPTIONS))

    sent = {name: value for name, value in server.last.headers if name.startswith("cf-aig-")}
    sent.pop("cf-aig-authorization")

    assert json.loads(sent.pop("cf-aig-metadata")) == json.loads(RUNTIME_OPTION_HEADERS["cf-aig-metadata"])
    assert sent == {name: value for name, value in RUNTIME_OPTION_HEADERS.items() if name != "cf-aig-metadata"}


async def test_gateway_run_sends_the_runtimes_body(driver, server, wire):
    server.will(wire.json({}))
    await driver.done(driver.client(server).gateway("g").run([STEP]))

    assert server.last.body == RUNTIME_STEPS


async def test_a_single_step_is_wrapped_as_the_runtime_wraps_it(driver, server, wire):
    server.will(wire.json({}))
    step = {"provider": "openai", "endpoint": "chat/completions", "headers": {}, "query": {}}
    await driver.done(driver.client(server).gateway("g").run(step, options={"skip_cache": False}))

    assert server.last.body == b'[{"provider":"openai","endpoint":"chat/completions","headers":{},"query":{}}]'
    assert server.last.header("cf-aig-skip-cache") == "false"


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        (
            {"feedback": 1, "score": 100, "metadata": {"user": "123"}},
            b'{"feedback":1,"score":100,"metadata":{"user":"123"}}',
        ),
        ({"feedback": None}, b'{"feedback":null}'),
    ],
)
async def test_patch_log_sends_the_runtimes_body(driver, server, wire, changes, body):
    server.will(wire.json({"success": True, "result": {}}))
    await driver.done(driver.client(server).gateway("my-gateway").patch_log("log1", **changes))

    assert (server.last.method, server.last.body) == ("PATCH", body)
    assert server.last.path.endswith("/ai-gateway/gateways/my-gateway/logs/log1")
