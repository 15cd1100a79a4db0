"""One step of one request, from its arrival to its answer: read, look into the cache, ask, translate, log.

Cloudflare names the model and provider that answered in two headers on dynamic routes only; here every answer has them.
A step that is refused after its token was found good is logged; one that shows no good token is not, for a stranger
shall not write into the log. A step without a log has no `cf-aig-log-id`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, cast

from aigw._http import Headers
from aigw.local._answers import read_body, translate_answer
from aigw.local._attempts import ask_until_answered, plan_attempts
from aigw.local._cache import CachedReply, default_key, plan_cache
from aigw.local._log_entry import LogEntry
from aigw.local._model_call import ModelCall, read_call, read_content, read_model_name
from aigw.local._model_names import model_not_found
from aigw.local._refusal import RefusalError
from aigw.local._relay import Relay, StreamCodec
from aigw.local._reply import EVENT_STREAM, Reply, header_text
from aigw.local._upstream import UpstreamEndpoint, UpstreamUnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from aigw.local._arrival import Arrival
    from aigw.local._cache import CachePlan, ResponseCache
    from aigw.local._logs_store import LogStore
    from aigw.local._upstream import Upstream
    from aigw.local._usage import Usage

    Keep = Callable[[CachedReply], None]

_HIT: Final = ("cf-aig-cache-status", "HIT")
_MISS: Final = ("cf-aig-cache-status", "MISS")


class Pipeline:
    """What answers model calls.

    Args:
        upstream: Who is asked.
        store: Where logs are kept.
        cache: Where answers are kept.
        models: Patterns of the models that exist; all when empty.
    """

    def __init__(self, upstream: Upstream, store: LogStore, cache: ResponseCache, models: Collection[str]) -> None:
        self._upstream = upstream
        self._store = store
        self._cache = cache
        self._models = models

    async def answer(self, arrival: Arrival, *, is_last: bool = True) -> Reply:
        """Answer one step.

        Args:
            arrival: The step.
            is_last: Whether no other step follows if this one fails.
        """
        entry = LogEntry(self._store, arrival)
        try:
            reply = await self._answer(arrival, entry, is_last=is_last)
        except RefusalError as refusal:
            reply = _logged(entry, refusal.reply(arrival.entrance.host))
        return reply.with_headers(*_id_headers(arrival))

    def refuse(self, arrival: Arrival, refusal: RefusalError) -> Reply:
        """Refuse a step that cannot be read at all; it is logged like any other."""
        reply = _logged(LogEntry(self._store, arrival), refusal.reply(arrival.entrance.host))
        return reply.with_headers(*_id_headers(arrival))

    async def _answer(self, arrival: Arrival, entry: LogEntry, *, is_last: bool) -> Reply:
        call = self._read(arrival, entry)
        entry.upstream = self._upstream.provider
        ask = partial(self._ask, arrival, entry, call, is_last=is_last)
        plan = _plan_cache(arrival, call)
        if plan is None:
            return await ask()
        if not plan.active:
            return (await ask()).with_headers(_MISS)
        key = (arrival.entrance.account_id, arrival.entrance.gateway_id, plan.key)
        cached = self._cache.get(key)
        if cached is not None:
            return _logged(entry, cached.reply, cached.usage, cached=True).with_headers(_HIT)
        return (await ask(lambda fresh: self._cache.put(key, fresh, plan.ttl))).with_headers(_MISS)

    def _read(self, arrival: Arrival, entry: LogEntry) -> ModelCall:
        content = read_content(arrival)
        entry.model = model = read_model_name(arrival, content)
        if not model.matches(self._models):
            raise model_not_found(model.asked)
        call = read_call(arrival.surface, model, content)
        entry.endpoint = call.dialect.endpoint
        return call

    async def _ask(
        self, arrival: Arrival, entry: LogEntry, call: ModelCall, keep: Keep | None = None, *, is_last: bool
    ) -> Reply:
        name = self._upstream.provider
        body = call.body_for(name)
        endpoint = cast("UpstreamEndpoint", call.dialect.endpoint)
        plan = plan_attempts(arrival.options, arrival.entrance.settings, waits_last=is_last)
        try:
            reply = await ask_until_answered(partial(self._upstream.send, endpoint, body, arrival.fields), plan)
            reply = reply.with_headers(("cf-aig-provider", name), ("cf-aig-model", header_text(body["model"])))
            if not isinstance(reply.body, bytes) and Headers(reply.headers).media_type == EVENT_STREAM:
                return _relayed(entry, call, reply, reply.body)
            reply, usage = translate_answer(call, reply, await read_body(reply.body))
        except (UpstreamUnreachableError, OSError) as error:
            raise RefusalError(400, 2005, "Failed to get response from provider") from error
        if keep and reply.status == 200:
            keep(CachedReply(reply, usage))
        return _logged(entry, reply, usage)


def _plan_cache(arrival: Arrival, call: ModelCall) -> CachePlan | None:
    surface = arrival.surface
    return plan_cache(
        arrival.options,
        arrival.entrance.settings.cache_ttl,
        key=lambda: default_key(
            surface.provider or surface.grammar, surface.endpoint, call.model.asked, arrival.headers, arrival.content
        ),
        stream=call.is_stream,
        size=len(arrival.content),
    )


def _relayed(entry: LogEntry, call: ModelCall, reply: Reply, source: AsyncIterator[bytes]) -> Reply:
    codec = StreamCodec(None if call.is_verbatim else call.dialect.stream(call.model.asked))
    body = Relay(source, codec, entry, call.body)
    return Reply(reply.status, reply.headers, body).with_headers(("content-type", EVENT_STREAM))


def _logged(entry: LogEntry, reply: Reply, usage: Usage | None = None, *, cached: bool = False) -> Reply:
    entry.body.add(reply.body if isinstance(reply.body, bytes) else b"")
    entry.write(reply.status, Headers(reply.headers).media_type, usage, cached=cached)
    return reply


def _id_headers(arrival: Arrival) -> tuple[tuple[str, str], ...]:
    ids = arrival.ids
    log_id = (("cf-aig-log-id", ids.log),) if arrival.is_logged else ()
    return (
        *log_id,
        ("cf-aig-request-id", ids.request),
        ("cf-aig-event-id", header_text(ids.event)),
        ("cf-aig-step", str(arrival.step)),
    )
