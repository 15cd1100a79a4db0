"""The public API as a type checker sees it: checked by `mypy --strict`, never run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, assert_type

import httpx

import aigw
from aigw import (
    AIGateway,
    AIGatewayError,
    APIStatusError,
    AsyncAIGateway,
    AsyncGateway,
    AsyncStream,
    CapturedLogs,
    ChatCompletion,
    ChatCompletionChunk,
    CustomCost,
    EmbeddingResult,
    Feedback,
    Gateway,
    GatewayLog,
    GatewayOptions,
    LogFilter,
    LogPage,
    LogResolver,
    MetadataValue,
    RateLimitError,
    ResolvedLog,
    ResponseInfo,
    Retries,
    RunResult,
    Step,
    StepConfig,
    Stream,
    StreamEvent,
    Surface,
    capture_logs,
    gateway_options,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from uuid import UUID

CHAT: dict[str, Any] = {"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": "Hi"}]}

options: GatewayOptions = {
    "id": "my-gateway",
    "skip_cache": True,
    "cache_ttl": 60,
    "cache_key": "key",
    "collect_log": True,
    "collect_log_payload": False,
    "metadata": {"user": "ann", "n": 1, "share": 0.5, "ok": True},
    "event_id": "evt-1",
    "request_timeout_ms": 1000,
    "retries": Retries(max_attempts=3, retry_delay_ms=100, backoff="exponential"),
    "custom_cost": CustomCost(per_token_in=0.1, total_cost=1),
    "byok_alias": "team",
    "no_wholesale": True,
    "zdr": False,
    "otel_trace_id": "0af7651916cd43dd8448eb211c80319c",
    "otel_parent_span_id": "b7ad6b7169203331",
    "session_id": "s",
    "turn_id": "t",
    "no_session_affinity": True,
    "allowed_models": ["openai/gpt-*"],
    "allowed_providers": ["openai"],
}
labels: dict[str, str] = {"user": "ann"}
labelled: GatewayOptions = {"metadata": labels}
misspelt: GatewayOptions = {"skipCache": True}  # type: ignore[typeddict-unknown-key]
wrong: Retries = {"backoff": "fast"}  # type: ignore[typeddict-item]

config: StepConfig = {"request_timeout_ms": 1000, "max_attempts": 2, "retry_delay_ms": 0, "backoff": "linear"}
step: Step = {"provider": "openai", "endpoint": "chat/completions", "query": CHAT, "headers": {"x-n": 1}}
found_by: LogFilter = {"key": "event_id", "operator": "eq", "value": ["evt-1"]}
label: MetadataValue = "text"
thumb: Feedback = -1
place: Surface = "compat"


def call_sync() -> None:
    """Use every method of the sync client."""
    with AIGateway("acct", "token", "gw", options=options, timeout=5.0, http_client=httpx.Client()) as client:
        assert_type(client, AIGateway)
        assert_type(client.log_id, str | None)
        assert_type(client.account_id, str)
        assert_type(client.run("@cf/a/b", {"prompt": "Hi"}, gateway=options), RunResult)
        assert_type(client.chat(CHAT, gateway={"skip_cache": True}, surface=place), ChatCompletion)
        assert_type(client.embed({"model": "@cf/a/b", "input": "Hi"}), EmbeddingResult)
        assert_type(client.embed(CHAT).vectors, list[list[float]])
        assert_type(client.completions(CHAT), RunResult)
        assert_type(client.responses(CHAT), RunResult)
        assert_type(client.messages(CHAT), RunResult)
        assert_type(client.stream_run("@cf/a/b", {}), Stream[StreamEvent])
        assert_type(client.stream_chat(CHAT), Stream[ChatCompletionChunk])
        assert_type(client.stream_completions(CHAT), Stream[StreamEvent])
        assert_type(client.stream_responses(CHAT), Stream[StreamEvent])
        assert_type(client.stream_messages(CHAT), Stream[StreamEvent])
        with client.stream_chat(CHAT) as stream:
            assert_type(stream.info, ResponseInfo)
            for chunk in stream:
                assert_type(chunk.text, str)
        client.chat(CHAT, surface="direct")  # type: ignore[arg-type]


def rate_a_call(gateway: Gateway, info: ResponseInfo) -> None:
    """Give what a result holds, which may be no log id."""
    gateway.patch_log(info.log_id, feedback=1, metadata=labels)
    assert_type(gateway.get_log(info.log_id, wait=2), GatewayLog)
    assert_type(gateway.log_request(info.log_id), Any)
    assert_type(gateway.log_response(info.log_id), Any)


async def rate_a_call_later(gateway: AsyncGateway, info: ResponseInfo) -> None:
    """Give it to the async twin."""
    await gateway.patch_log(info.log_id, feedback=1, metadata=labels)
    assert_type(await gateway.get_log(info.log_id), GatewayLog)
    assert_type(await gateway.log_request(info.log_id), Any)
    assert_type(await gateway.log_response(info.log_id), Any)


def use_a_gateway(gateway: Gateway) -> None:
    """Use every method of a sync gateway."""
    gateway.patch_log("id", feedback=thumb, score=100, metadata={"user": label})
    gateway.patch_log("id", feedback=None, score=None, metadata=None)
    gateway.patch_log("id", feedback=2)  # type: ignore[arg-type]
    assert_type(gateway.gateway_id, str)
    assert_type(gateway.get_log("id", wait=2.5), GatewayLog)
    assert_type(gateway.get_log("id").metadata, dict[str, Any] | None)
    assert_type(gateway.list_logs(filters=[found_by], order_by="model", direction="asc", page=1, per_page=50), LogPage)
    assert_type(gateway.list_logs().logs, tuple[GatewayLog, ...])
    logs: Iterator[GatewayLog] = gateway.iter_logs(search="x")
    assert_type(next(logs), GatewayLog)
    assert_type(gateway.find_logs(event_id="evt-1"), list[GatewayLog])
    assert_type(gateway.get_url("openai"), str)
    assert_type(gateway.run([step], options=options), RunResult)
    assert_type(gateway.stream_run([step]), Stream[StreamEvent])


async def call_async() -> None:
    """Use every method of the async client."""
    async with AsyncAIGateway(provider_key="key", max_retries=0, http_client=httpx.AsyncClient()) as client:
        assert_type(client, AsyncAIGateway)
        assert_type(await client.run("@cf/a/b", {"prompt": "Hi"}), RunResult)
        assert_type(await client.chat(CHAT), ChatCompletion)
        assert_type(await client.embed(CHAT), EmbeddingResult)
        assert_type(await client.completions(CHAT), RunResult)
        assert_type(await client.responses(CHAT), RunResult)
        assert_type(await client.messages(CHAT), RunResult)
        assert_type(client.stream_run("@cf/a/b", {}), AsyncStream[StreamEvent])
        assert_type(client.stream_chat(CHAT), AsyncStream[ChatCompletionChunk])
        assert_type(await client.stream_chat(CHAT), AsyncStream[ChatCompletionChunk])
        async for event in client.stream_messages(CHAT):
            assert_type(event, StreamEvent)
            assert_type(event.info, ResponseInfo | None)
        async with client.stream_responses(CHAT) as stream:
            assert_type(stream.info, ResponseInfo | None)
        assert_type(client.gateway("gw"), AsyncGateway)


async def use_an_async_gateway(gateway: AsyncGateway) -> None:
    """Use every method of an async gateway."""
    await gateway.patch_log("id", feedback=1)
    assert_type(await gateway.get_log("id", wait=1), GatewayLog)
    assert_type(await gateway.list_logs(filters=[found_by]), LogPage)
    logs: AsyncIterator[GatewayLog] = gateway.iter_logs()
    assert_type([log async for log in logs], list[GatewayLog])
    assert_type(await gateway.find_logs(event_id="evt-1"), list[GatewayLog])
    assert_type(await gateway.get_url(), str)
    assert_type(await gateway.run([step]), RunResult)
    assert_type(gateway.stream_run([step]), AsyncStream[StreamEvent])


def find(client: AIGateway, run_id: UUID) -> None:
    """Find the logs of whatever is held, and rate them."""
    resolver = LogResolver(client, gateway_id="g")
    assert_type(resolver.resolve(run_id, which="all", wait=1), list[ResolvedLog])
    assert_type(resolver.resolve()[0].event_id, str | None)
    assert_type(resolver.feedback("thread-7", -1, score=10), list[str])
    resolver.feedback(run_id, 2)  # type: ignore[arg-type]


def listen() -> None:
    """Use what stands around calls."""
    with capture_logs() as logs, gateway_options({"metadata": {"job": "nightly"}}):
        assert_type(logs, CapturedLogs)
    assert_type(logs.log_ids, list[str])
    assert_type(logs[0], ResponseInfo)
    assert_type(logs[1:], list[ResponseInfo])
    assert_type(logs[0].to_dict(), dict[str, Any])


def fail(error: AIGatewayError) -> None:
    """Read an error."""
    assert_type(error.message, str)
    assert_type(error.status_code, int | None)
    assert_type(error.code, int | str | None)
    assert_type(error.info, ResponseInfo | None)
    assert_type(error.log_id, str | None)
    assert_type(error.retry_after, float | None)
    assert_type(error.is_retryable, bool)
    try:
        raise error
    except RateLimitError as limited:
        assert_type(limited, RateLimitError)
    except APIStatusError:
        assert_type(aigw.__version__, str)
        assert_type(os.environ.get("CLOUDFLARE_API_TOKEN"), str | None)
