"""The response cache, by the documented rules, with the time in the test's hand."""

import pytest

from aigw.local import LocalGateway
from aigw.local._cache import MAX_REQUEST_BYTES, plan_cache
from aigw.local._call_options import CallOptions

PATH = "/v1/acct/gw/openai/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def upstream(kit):
    return kit.Scripted(*[kit.completion(str(number)) for number in range(1, 9)])


@pytest.fixture
def ask(open_client, clock, upstream):
    """Ask a gateway with these settings; give what the answer says and what the cache header says."""

    def start(**settings):
        client = open_client(LocalGateway(upstream=upstream, settings=settings, clock=clock))

        def ask(body=BODY, path=PATH, **headers):
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            reply = client.post(path, json=body, headers=fields)
            said = reply.json()["choices"][0]["message"]["content"] if reply.status_code == 200 else reply.status_code
            return said, reply.headers.get("cf-aig-cache-status")

        ask.client = client
        return ask

    return start


def test_nothing_is_cached_by_default(ask):
    ask = ask()
    assert [ask(), ask()] == [("1", None), ("2", None)]


def test_a_ttl_header_alone_does_not_opt_in(ask):
    ask = ask()
    assert [ask(cf_aig_cache_ttl="60"), ask(cf_aig_cache_ttl="60")] == [("1", None), ("2", None)]


def test_a_gateway_with_a_ttl_caches_for_so_long(ask, clock):
    ask = ask(cache_ttl=60)
    assert [ask(), ask()] == [("1", "MISS"), ("1", "HIT")]
    clock.now += 59
    assert ask() == ("1", "HIT")
    clock.now += 1
    assert ask() == ("2", "MISS")


def test_a_cache_key_opts_in_for_300_seconds_whatever_the_body(ask, clock):
    ask = ask()
    assert ask(cf_aig_cache_key="k") == ("1", "MISS")
    assert ask({**BODY, "seed": 5}, cf_aig_cache_key="k") == ("1", "HIT")
    assert ask(cf_aig_cache_key="other") == ("2", "MISS")
    clock.now += 300
    assert ask(cf_aig_cache_key="k") == ("3", "MISS")


@pytest.mark.parametrize(("asked", "lives"), [("90", 90), ("1", 60), ("99999999", 30 * 24 * 3600)])
def test_a_ttl_header_comes_before_the_gateways_ttl_and_is_kept_in_range(ask, clock, asked, lives):
    ask = ask(cache_ttl=1000)
    ask(cf_aig_cache_ttl=asked)
    clock.now += lives - 1
    assert ask() == ("1", "HIT")
    clock.now += 1
    assert ask() == ("2", "MISS")


def test_a_ttl_of_zero_turns_the_cache_off_for_its_call(ask):
    ask = ask(cache_ttl=60)
    assert ask() == ("1", "MISS")
    assert ask(cf_aig_cache_ttl="0") == ("2", None)
    assert ask() == ("1", "HIT")


@pytest.mark.parametrize("name", ["cf_aig_skip_cache", "cf_skip_cache"])
def test_skipping_neither_reads_nor_writes(ask, name):
    ask = ask(cache_ttl=60)
    assert ask(**{name: "true"}) == ("1", "MISS")
    assert ask() == ("2", "MISS")
    assert ask(**{name: "true"}) == ("3", "MISS")
    assert ask() == ("2", "HIT")


def test_the_deprecated_ttl_header_still_counts(ask, clock):
    ask = ask(cache_ttl=60)
    ask(cf_cache_ttl="600")
    clock.now += 599
    assert ask() == ("1", "HIT")


@pytest.mark.parametrize(
    "other",
    [
        {"body": {**BODY, "temperature": 1}},
        {"path": "/v1/acct/gw/openai/v1/chat/completions"},
        {"path": "/v1/acct/gw/groq/chat/completions"},
        {"path": "/v1/acct/other/openai/chat/completions"},
        {"path": "/v1/someone/gw/openai/chat/completions"},
        {"authorization": "Bearer another-provider-key"},
    ],
)
def test_another_provider_endpoint_body_key_or_gateway_is_another_entry(ask, other):
    ask = ask(cache_ttl=60)
    ask()
    assert ask(**other) == ("2", "MISS")


@pytest.mark.parametrize("same", [{"cf_aig_metadata": '{"a":1}'}, {"cf_aig_event_id": "e"}, {"user_agent": "x"}])
def test_metadata_and_other_headers_are_no_part_of_the_key(ask, same):
    ask = ask(cache_ttl=60)
    ask()
    assert ask(**same) == ("1", "HIT")


def test_a_hit_is_logged_without_cost_and_input_tokens_under_an_id_of_its_own(ask, kit):
    ask = ask(cache_ttl=60)
    first, second = (ask.client.post(PATH, json=BODY).headers for _ in range(2))
    assert first["cf-aig-log-id"] != second["cf-aig-log-id"]
    miss, hit = (kit.log(ask.client, reply["cf-aig-log-id"], "gw") for reply in (first, second))
    assert (miss["cached"], miss["tokens_in"], miss["tokens_out"]) == (False, 3, 2)
    assert (hit["cached"], hit["tokens_in"], hit["tokens_out"], hit["cost"]) == (True, 0, 2, 0)
    assert hit["response_head"] == miss["response_head"]


def test_only_answers_with_status_200_are_kept(open_client, kit):
    upstream = kit.Scripted(kit.failure(400, "no"), kit.completion("yes"))
    client = open_client(LocalGateway(upstream=upstream, settings={"cache_ttl": 60}))
    replies = [client.post(PATH, json=BODY) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [400, 200, 200]
    assert [reply.headers["cf-aig-cache-status"] for reply in replies] == ["MISS", "MISS", "HIT"]


def test_streams_are_never_kept_nor_answered_from_the_cache(open_client, kit):
    upstream = kit.Scripted(
        kit.completion("whole"), kit.streamed(b"data: [DONE]\n\n"), kit.streamed(b"data: [DONE]\n\n"), RuntimeError()
    )
    client = open_client(LocalGateway(upstream=upstream))
    key = {"cf-aig-cache-key": "k"}
    client.post(PATH, json=BODY, headers=key)
    for _ in range(2):
        reply = client.post(PATH, json={**BODY, "stream": True}, headers=key)
        assert (reply.text, reply.headers["cf-aig-cache-status"]) == ("data: [DONE]\n\n", "MISS")
    assert client.post(PATH, json=BODY, headers=key).headers["cf-aig-cache-status"] == "HIT"


def test_translated_answers_are_cached_as_the_caller_got_them(open_client, upstream):
    client = open_client(LocalGateway(upstream=upstream, settings={"cache_ttl": 60}))
    body = {"prompt": "hi"}
    first, second = (client.post("/v1/acct/gw/workers-ai/@cf/a/m", json=body) for _ in range(2))
    assert first.content == second.content
    assert second.headers["cf-aig-cache-status"] == "HIT"


def test_a_request_above_25_megabytes_is_not_cached():
    def plan(size):
        return plan_cache(CallOptions(), 60, key=lambda: "k", stream=False, size=size)

    assert MAX_REQUEST_BYTES == 25 * 1024 * 1024
    assert plan(MAX_REQUEST_BYTES).key == "k"
    assert plan(MAX_REQUEST_BYTES + 1) is None
