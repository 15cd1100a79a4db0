"""One step of one request, from its arrival to its answer: read, check, look into the cache, ask, translate, log.

The order of the checks, of which Cloudflare tells only that the cache comes before spend: body and model, rate limit,
DLP and guardrails of the prompt, cache, spend limits, provider key, credits; then the checks of the answer.

Cloudflare names the model and provider that answered in two headers on dynamic routes only; here every answer has them.
A step that is refused after its token was found good is logged; one that shows no good token is not, for a stranger
shall not write into the log. A step without a log has no `cf-aig-log-id`; nor has a 402 on the REST host, as was seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from aigw.local._answers import answering_model, read_body, translate_answer
from aigw.local._cache import DEFAULT_TTL, CachedReply, default_key, plan_cache
from aigw.local._guarding._guard import dlp_header, unstreamed
from aigw.local._ids import new_id
from aigw.local._log_entry import LogEntry, Outcome
from aigw.local._logs._room import with_room
from aigw.local._model_call import ModelCall, read_call, read_content, read_model_name
from aigw.local._native._call import as_native, guess_refused_model, read_any_content, read_any_model, read_native_call
from aigw.local._native._stream import NativeCodec
from aigw.local._refusal import RefusalError
from aigw.local._relay import Relay, StreamCodec
from aigw.local._reply import EVENT_STREAM, Reply, header_text
from aigw.local._routing._model_names import unknown_model
from aigw.local._upstreams._upstream import UpstreamUnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from aigw.local._arrival import Arrival
    from aigw.local._asking import Asking
    from aigw.local._cache import CachePlan, ResponseCache
    from aigw.local._guarding._guard import Guard
    from aigw.local._logs._writer import LogWriter
    from aigw.local._routing._model_names import ModelName
    from aigw.local._settings._switches import Switches
    from aigw.local._spending._budget import Budget
    from aigw.local._spending._usage import Usage
    from aigw.local._upstreams._attempts import Turn

    Keep = Callable[[CachedReply], None]

_HIT: Final = ("cf-aig-cache-status", "HIT")
_MISS: Final = ("cf-aig-cache-status", "MISS")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What answers model calls.

    Attributes:
        asking: Who asks upstreams.
        logs: What writes logs.
        cache: Where answers are kept.
        models: Patterns of the models that exist; all when empty.
        budget: The limits of gateways.
        guard: The checks of prompts and answers.
        switches: What is priced, and whether Workers AI is cached.
    """

    asking: Asking
    logs: LogWriter
    cache: ResponseCache
    models: Collection[str]
    budget: Budget
    guard: Guard
    switches: Switches

    async def answer(self, arrival: Arrival, turn: Turn = "only") -> Reply:
        """Answer one step.

        Args:
            arrival: The step.
            turn: Where it stands among the steps of its request.
        """
        arrival = with_room(self.logs.store, arrival)
        entry = LogEntry(self.logs, arrival, self.switches.costs)
        try:
            reply = await self._answer(arrival, entry, turn)
        except RefusalError as refusal:
            entry.model = entry.model or guess_refused_model(arrival)
            reply = await _logged(entry, refusal.reply(arrival.entrance.host))
        return reply.with_headers(*_id_headers(arrival, reply.status), *dlp_header(entry))

    async def refuse(self, arrival: Arrival, refusal: RefusalError) -> Reply:
        """Refuse a step that cannot be read at all; it is logged like any other."""
        arrival = with_room(self.logs.store, arrival)
        entry = LogEntry(self.logs, arrival)
        entry.model = guess_refused_model(arrival)
        reply = await _logged(entry, refusal.reply(arrival.entrance.host))
        return reply.with_headers(*_id_headers(arrival, reply.status))

    async def _answer(self, arrival: Arrival, entry: LogEntry, turn: Turn) -> Reply:
        asked = self._read(arrival, entry)
        self.budget.admit(arrival)
        self.guard.check_prompt(arrival, entry, asked)
        entry.upstream = self.asking.upstream_of(asked.model).provider
        plan = _plan_cache(arrival, asked, self.switches)
        call = unstreamed(arrival, asked)
        ask = partial(self._ask, arrival, entry, call, turn)
        if plan is None:
            return await ask()
        if not plan.active:
            return (await ask()).with_headers(_MISS)
        key = (arrival.entrance.account_id, arrival.entrance.gateway_id, plan.key)
        cached = self.cache.get(key)
        if cached is not None:
            hit = await self._checked(arrival, entry, cached.reply, cached.usage, cached=True)
            return hit.with_headers(_HIT)
        return (await ask(lambda fresh: self.cache.put(key, fresh, plan.ttl))).with_headers(_MISS)

    def _read(self, arrival: Arrival, entry: LogEntry) -> ModelCall:
        surface = arrival.surface
        on_own_path = surface.grammar == "native"
        if surface.dialect == "raw" or (on_own_path and self.asking.is_native(surface.provider)):
            content = read_any_content(arrival)
            model = self._existing(entry, read_any_model(arrival, content))
            call = read_native_call(arrival, model, content)
        else:
            content = read_content(arrival)
            model = self._existing(entry, read_model_name(arrival, content))
            call = read_call(surface, model, content)
            if not on_own_path and self.asking.is_native(model.provider):
                call = as_native(call, content)
        entry.endpoint = call.dialect.endpoint
        return call

    def _existing(self, entry: LogEntry, model: ModelName) -> ModelName:
        entry.model = model
        if model.asked and not (model.matches(self.models) or self.asking.router.has(model.asked)):
            raise unknown_model(model)
        return model

    async def _ask(
        self, arrival: Arrival, entry: LogEntry, call: ModelCall, turn: Turn, keep: Keep | None = None
    ) -> Reply:
        call, reply = await self.asking.ask(arrival, entry, call, turn)
        media_type = reply.media_type
        if not isinstance(reply.body, bytes) and call.native is not None:
            passed = _passed_on(entry, call, reply, reply.body, media_type)
            return passed.with_headers(*self._run_id(arrival, call))
        if not isinstance(reply.body, bytes) and media_type == EVENT_STREAM:
            return _relayed(entry, call, reply, reply.body).with_headers(*self._run_id(arrival, call))
        try:
            reply, usage = translate_answer(call, reply, await read_body(reply.body))
        except (UpstreamUnreachableError, OSError) as error:
            raise RefusalError(400, 2005, "Failed to get response from provider") from error
        entry.name_model(answering_model(call, reply))
        if keep and reply.status == 200:
            keep(CachedReply(reply, usage))
        return await self._checked(arrival, entry, reply, usage)

    def _run_id(self, arrival: Arrival, call: ModelCall) -> tuple[tuple[str, str], ...]:
        has_run = self.switches.run_ids and arrival.surface.dialect == "run" and call.model.provider != "workers-ai"
        return (("cf-aig-run-id", new_id()),) if has_run else ()

    async def _checked(
        self, arrival: Arrival, entry: LogEntry, reply: Reply, usage: Usage | None, *, cached: bool = False
    ) -> Reply:
        if reply.status < 400 and isinstance(reply.body, bytes):
            try:
                self.guard.check_answer(arrival, entry, reply.body)
            except RefusalError as refusal:
                named = tuple(field for field in reply.headers if field[0].startswith("cf-aig-"))
                reply = refusal.reply(arrival.entrance.host).with_headers(*named)
        return await _logged(entry, reply, usage, cached=cached)


def _plan_cache(arrival: Arrival, call: ModelCall, switches: Switches) -> CachePlan | None:
    surface, options = arrival.surface, arrival.options
    if surface.method != "POST":  # what is fetched, changed or deleted by its address is not an answer of a model
        return None
    gateway_ttl = arrival.entrance.settings.cache_ttl
    if switches.workers_ai_cache and call.model.provider == "workers-ai" and not gateway_ttl:
        gateway_ttl, options = DEFAULT_TTL, replace(options, cache_ttl=options.cache_ttl or None)
    return plan_cache(
        options,
        gateway_ttl,
        key=lambda: default_key(
            surface.provider or surface.grammar,
            surface.raw or surface.endpoint,
            call.model.asked,
            arrival.headers,
            arrival.content,
        ),
        stream=call.is_stream,
        size=len(arrival.content),
    )


def _relayed(entry: LogEntry, call: ModelCall, reply: Reply, source: AsyncIterator[bytes]) -> Reply:
    codec = StreamCodec(None if call.is_verbatim else call.dialect.stream(call.model.asked))
    media_type = EVENT_STREAM if call.is_verbatim else call.dialect.stream_type
    body = Relay(source, codec, entry, call.body, media_type=media_type)
    return Reply(reply.status, reply.headers, body).with_headers(("content-type", media_type))


def _passed_on(entry: LogEntry, call: ModelCall, reply: Reply, source: AsyncIterator[bytes], media_type: str) -> Reply:
    is_chat = call.dialect.name == "chat" and media_type == EVENT_STREAM
    codec = StreamCodec(None) if is_chat else NativeCodec(media_type)
    body = Relay(source, codec, entry, call.body, status=reply.status, media_type=media_type)
    return Reply(reply.status, reply.headers, body)


async def _logged(entry: LogEntry, reply: Reply, usage: Usage | None = None, *, cached: bool = False) -> Reply:
    entry.body.add(reply.body if isinstance(reply.body, bytes) else b"")
    await entry.write_together(Outcome(reply.status, reply.media_type, usage, cached=cached))
    return reply


def _id_headers(arrival: Arrival, status: int) -> tuple[tuple[str, str], ...]:
    ids = arrival.ids
    is_told = arrival.is_logged and not (status == 402 and arrival.entrance.host == "rest")
    log_id = (("cf-aig-log-id", ids.log),) if is_told else ()
    return (
        *log_id,
        ("cf-aig-request-id", ids.request),
        ("cf-aig-event-id", header_text(ids.event)),
        ("cf-aig-step", str(arrival.step)),
    )
