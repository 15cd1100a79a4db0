"""The logs of whatever somebody holds: where they are looked for, in which order, by how many requests."""

from __future__ import annotations

import inspect
import json
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from aigw import (
    AIGateway,
    AsyncAIGateway,
    AuthenticationError,
    ConfigurationError,
    LogNotFoundError,
    LogResolver,
    ResolvedLog,
    ResponseInfo,
    SharedLogs,
    UnknownTargetError,
)
from aigw.integration import LoggedCall

DONE = {"success": True, "result": {}}
RUN = UUID(int=7)


class Gateway:
    """A gateway of written logs behind the recording server; a log is there from a number of requests on."""

    def __init__(self, wire):
        self.wire = wire
        self.logs = []
        self.late = 0

    def __call__(self, request):
        self.late -= 1
        logs = [] if self.late >= 0 else self.logs
        url = urlsplit(request.path)
        if url.path.endswith("/logs"):
            wanted = json.loads(parse_qs(url.query)["filters"][0])
            found = [log for log in logs if all(_fits(log, each) for each in wanted)][::-1]
            return self.wire.json({"success": True, "result": found, "result_info": {"count": len(found)}})
        log_id = url.path.rpartition("/")[2]
        for log in logs:
            if log["id"] == log_id:
                return self.wire.json({"success": True, "result": log} if request.method == "GET" else DONE)
        return self.wire.failure(404, 7002, "Log not found")


def _fits(log, wanted):
    """Filter as Cloudflare does: keys and values of metadata are not paired."""
    labels = log.get("metadata", {})
    values = {"event_id": [log.get("event_id")], "metadata.key": list(labels), "metadata.value": list(labels.values())}
    return any(value in wanted["value"] for value in values[wanted["key"]])


class Memory:
    def __init__(self, **calls):
        self.calls = calls

    def find_calls(self, name):
        return self.calls.get(name, [])

    def latest_calls(self):
        return next(reversed(self.calls.values()), [])

    def newest_call(self):
        return None


class Store:
    def __init__(self):
        self.values = {}
        self.asked = 0

    def mget(self, keys):
        self.asked += 1
        return [self.values.get(key) for key in keys]

    async def amget(self, keys):
        return self.mget(keys)

    def mset(self, key_value_pairs):
        self.values.update(key_value_pairs)


class Asker:
    """The resolver's methods, sync or async, by the same words."""

    def __init__(self, kind, url):
        self.is_async = kind == "async"
        self.sync = AIGateway("acct", "test-token", base_url=url, max_retries=0)
        self.asynchronous = AsyncAIGateway("acct", "test-token", base_url=url, max_retries=0)

    def resolver(self, *, client=True, **more):
        clients = {"async_client": self.asynchronous} if self.is_async else {"client": self.sync}
        return LogResolver(**(clients if client else {}), **more)

    def made(self, **facts):
        return LoggedCall(ResponseInfo(**facts), lambda: self.sync, lambda: self.asynchronous, source="memory")

    async def resolve(self, resolver, *args, **more):
        return await resolver.aresolve(*args, **more) if self.is_async else resolver.resolve(*args, **more)

    async def feedback(self, resolver, *args, **more):
        return await resolver.afeedback(*args, **more) if self.is_async else resolver.feedback(*args, **more)


@pytest.fixture(params=["sync", "async"])
async def ask(request, server):
    asker = Asker(request.param, server.url)
    yield asker
    asker.sync.close()
    await asker.asynchronous.aclose()


@pytest.fixture
def gateway(server, wire):
    gateway = Gateway(wire)
    server.will(gateway)
    return gateway


@pytest.fixture
def sent(server):
    """Give what was sent: the method, and the log or what was filtered by."""

    def sent():
        seen = []
        for request in server.requests:
            url = urlsplit(request.path)
            filters = json.loads(parse_qs(url.query).get("filters", ["[]"])[0])
            seen.append((request.method, "+".join(each["key"] for each in filters) or url.path.rpartition("/")[2]))
        return seen

    return sent


async def test_a_log_id_is_one_read_more_than_its_rating(ask, gateway, sent):
    gateway.logs = [{"id": "L1", "event_id": "E1"}]

    assert await ask.feedback(ask.resolver(), "L1", -1) == ["L1"]
    assert sent() == [("GET", "L1"), ("PATCH", "L1")]


async def test_an_event_id_is_found_after_it_was_no_log_id(ask, gateway, sent):
    gateway.logs = [{"id": "L1", "event_id": "run-1"}, {"id": "L2", "event_id": "run-1"}]

    assert await ask.resolve(ask.resolver(), "run-1") == [ResolvedLog("L2", None, "run-1", "gateway")]
    assert sent() == [("GET", "run-1"), ("GET", "event_id")]


async def test_a_uuid_is_never_a_log_id(ask, gateway, sent):
    gateway.logs = [{"id": "L1", "event_id": str(RUN)}]

    assert await ask.feedback(ask.resolver(), RUN) == ["L1"]
    assert sent() == [("GET", "event_id"), ("PATCH", "L1")]


async def test_a_run_or_thread_is_found_by_the_label_its_calls_were_sent_with(ask, gateway, sent):
    gateway.logs = [
        {"id": "L1", "event_id": "E1", "metadata": {"thread_id": "t-7"}},
        {"id": "L2", "event_id": "E2", "metadata": {"thread_id": "t-8"}},
        {"id": "L3", "event_id": "E3", "metadata": {"thread_id": "t-7"}},
    ]

    assert [log.log_id for log in await ask.resolve(ask.resolver(), "t-7", which="all")] == ["L1", "L3"]
    assert sent() == [("GET", "t-7"), ("GET", "event_id"), ("GET", "metadata.key+metadata.value")]


async def test_a_label_whose_key_and_value_belong_to_two_entries_is_not_taken_for_the_runs(ask, gateway):
    gateway.logs = [
        {"id": "L1", "event_id": "E1", "metadata": {"thread_id": "t-7"}},
        {"id": "L2", "event_id": "E2", "metadata": {"thread_id": "t-8", "topic": "t-7"}},
    ]

    assert [log.log_id for log in await ask.resolve(ask.resolver(), "t-7", which="all")] == ["L1"]


async def test_the_last_of_a_run_is_its_last_chat_not_an_embedding(ask, gateway):
    labels = {"metadata": {"root_run_id": "r"}}
    gateway.logs = [{"id": "L1", **labels}, {"id": "L2", "path": "v1/embeddings", **labels}]

    assert await ask.feedback(ask.resolver(), "r") == ["L1"]


async def test_a_log_that_is_late_is_looked_for_again(ask, gateway):
    gateway.logs = [{"id": "L1", "event_id": "run-1"}]
    gateway.late = 7

    assert await ask.feedback(ask.resolver(), "run-1", wait=5) == ["L1"]


async def test_what_nobody_knows_is_an_error_that_says_where_it_was_looked_for(ask, gateway, sent):
    resolver = ask.resolver(store=Store(), memory=Memory(), gateway_id="second")
    with pytest.raises(UnknownTargetError) as raised:
        await ask.feedback(resolver, "nobody-1", wait=0)

    assert isinstance(raised.value, KeyError)
    assert str(raised.value) == (
        "'nobody-1' is not known: no call that is recorded here has it; the shared store does not have it; the gateway "
        "'second' has no log of that id, no log with that event id, which only the run or span of the call itself is "
        "sent as, and none with it as root_run_id or thread_id or root_span_id or workflow_run_id in its metadata, "
        "which only a model's metadata_keys send"
    )
    assert len(sent()) == 3
    assert gateway.logs == []


async def test_a_missing_client_is_said(ask, server):
    argument = "async_client=" if ask.is_async else "client="
    with pytest.raises(UnknownTargetError, match=f"no client to look it up at the gateway: give {argument}"):
        await ask.resolve(ask.resolver(client=False), "run-1")

    assert server.requests == []


async def test_the_memory_is_asked_first_and_by_no_request(ask, server):
    store = Store()
    memory = Memory(**{"run-1": [ask.made(log_id="L1", event_id="E1", gateway_id="g")]})

    resolved = await ask.resolve(ask.resolver(store=store, memory=memory), "run-1")

    assert resolved == [ResolvedLog("L1", "g", "E1", "memory")]
    assert (server.requests, store.asked) == ([], 0)


async def test_the_shared_store_is_asked_before_the_gateway(ask, server):
    store = Store()
    SharedLogs(store).remember({"root": [ask.made(log_id="L1", gateway_id="g"), ask.made(log_id="L2", gateway_id="g")]})

    resolved = await ask.resolve(ask.resolver(store=store, memory=Memory()), "root", which="all")

    assert [(log.log_id, log.gateway_id, log.source) for log in resolved] == [
        ("L1", "g", "store"),
        ("L2", "g", "store"),
    ]
    assert server.requests == []


async def test_a_call_of_the_store_without_a_log_id_is_found_by_its_event_id(ask, gateway, sent):
    gateway.logs = [{"id": "L1", "event_id": "E1"}]
    store = Store()
    SharedLogs(store).remember({"root": [ask.made(event_id="E1")]})

    assert await ask.resolve(ask.resolver(store=store), "root") == [ResolvedLog("L1", None, "E1", "gateway")]
    assert await ask.feedback(ask.resolver(store=store), "root") == ["L1"]
    assert sent() == [("GET", "event_id"), ("GET", "event_id"), ("PATCH", "L1")]


async def test_a_store_that_fails_is_passed_over_and_named(ask, gateway):
    class Broken(Store):
        def mget(self, keys):
            raise TimeoutError(keys)

    gateway.logs = [{"id": "L1", "event_id": "run-1"}]
    resolver = ask.resolver(store=Broken())

    assert await ask.feedback(resolver, "run-1") == ["L1"]
    with pytest.raises(UnknownTargetError, match=r"the shared store failed \(TimeoutError\); the gateway has no log"):
        await ask.resolve(resolver, "run-2", wait=0)


async def test_what_says_its_log_itself_needs_no_lookup(ask, gateway, sent):
    gateway.logs = [{"id": "L1"}]
    facts = {"log_id": "L1", "gateway_id": "g", "event_id": "E1"}

    assert await ask.resolve(ask.resolver(), facts) == [ResolvedLog("L1", "g", "E1", "target")]
    assert await ask.feedback(ask.resolver(), {"aigw": facts}, score=3) == ["L1"]
    assert sent() == [("PATCH", "L1")]


async def test_the_clients_that_made_a_call_are_used_for_what_came_of_it(ask, gateway, sent):
    gateway.logs = [{"id": "L1"}]
    memory = Memory(L1=[ask.made(log_id="L1")])

    assert await ask.feedback(ask.resolver(client=False, memory=memory), {"log_id": "L1"}) == ["L1"]
    assert sent() == [("PATCH", "L1")]


async def test_several_answers_of_one_log_rate_it_once(ask, gateway, sent):
    gateway.logs = [{"id": "L1"}]

    assert await ask.feedback(ask.resolver(), [{"log_id": "L1"}, {"log_id": "L1"}], which="all") == ["L1"]
    assert sent() == [("PATCH", "L1")]


async def test_a_known_call_whose_log_never_comes_is_no_unknown_target(ask, gateway):
    with pytest.raises(LogNotFoundError):
        await ask.resolve(ask.resolver(), {"event_id": "E1"}, wait=0)
    assert gateway.logs == []


async def test_without_a_target_what_ran_last_here_is_meant(ask, server):
    with pytest.raises(ConfigurationError, match="nothing to rate"):
        await ask.resolve(ask.resolver())
    memory = Memory(a=[ask.made(log_id="L1")], b=[ask.made(log_id="L2")])

    assert [log.log_id for log in await ask.resolve(ask.resolver(memory=memory))] == ["L2"]
    assert server.requests == []


@pytest.mark.parametrize(
    "values",
    [{"feedback": 2}, {"score": float("nan")}, {"which": "first"}, {"wait": -1}, {"metadata": {"a": {}}}],
)
async def test_what_cannot_be_sent_is_refused_before_anything_is_looked_for(ask, server, values):
    with pytest.raises(ConfigurationError):
        await ask.feedback(ask.resolver(), "run-1", **values)

    assert server.requests == []


async def test_a_token_that_may_not_read_logs_is_said_with_what_was_looked_for(ask, server, wire):
    server.will(wire.failure(401, 10000, "Authentication error"))
    with pytest.raises(AuthenticationError) as raised:
        await ask.feedback(ask.resolver(), "run-1")

    assert "while looking for 'run-1' at the gateway" in raised.value.__notes__[0]
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["resolve", "feedback"])
def test_the_twins_take_and_give_the_same(name):
    assert inspect.signature(getattr(LogResolver, name)) == inspect.signature(getattr(LogResolver, f"a{name}"))


def test_a_gateway_id_that_cannot_be_is_refused():
    with pytest.raises(ConfigurationError):
        LogResolver(gateway_id="No Such/Gateway")


@pytest.mark.parametrize("text", ["..", "a/b?c=d", "Größe 7", "x" * 3000])
async def test_any_text_may_be_an_id(ask, gateway, text):
    with pytest.raises(UnknownTargetError) as raised:
        await ask.resolve(ask.resolver(), text, wait=0)
    assert len(str(raised.value)) < 500
    assert gateway.logs == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"client": AsyncAIGateway()}, "client cannot be of class AsyncAIGateway: it is an AIGateway"),
        ({"async_client": AIGateway()}, "async_client cannot be of class AIGateway: it is an AsyncAIGateway"),
        ({"client": "secret-token"}, "client cannot be of class str: it is an AIGateway"),
        ({"async_client": object()}, "async_client cannot be of class object: it is an AsyncAIGateway"),
    ],
)
def test_what_is_no_client_of_that_kind_is_refused(given, says):
    with pytest.raises(ConfigurationError, match=f"^{says}$"):
        LogResolver(**given)
