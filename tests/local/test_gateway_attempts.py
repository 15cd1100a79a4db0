"""Attempts: what is tried again, how long it waits, and when the time to the first byte counts."""

import anyio
import pytest

from aigw.local import LocalGateway, Reply, UpstreamUnreachableError, json_reply
from aigw.local._upstreams._attempts import AttemptPlan

PATH = "/v1/acct/gw/openai/chat/completions"
AT_ONCE = {"cf-aig-retry-delay": "0"}


class Slow:
    """An upstream that needs these many seconds for each answer in turn."""

    provider = "slow"

    def __init__(self, reply, *seconds):
        self.reply, self.seconds, self.asked = reply, list(seconds), 0

    async def send(self, endpoint, body, headers):  # noqa: ARG002
        self.asked += 1
        await anyio.sleep(self.seconds.pop(0))
        return self.reply


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
def test_a_passing_failure_is_tried_again(open_client, kit, status):
    upstream = kit.Scripted(kit.failure(status, "later"), kit.completion("now"))
    client = open_client(LocalGateway(upstream=upstream))
    reply = client.post(PATH, json=kit.chat(model="m"), headers={**AT_ONCE, "cf-aig-max-attempts": "2"})
    assert reply.status_code == 200
    assert len(upstream.asked) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_lasting_failure_is_not_tried_again(open_client, kit, status):
    upstream = kit.Scripted(kit.failure(status, "no"))
    client = open_client(LocalGateway(upstream=upstream))
    reply = client.post(PATH, json=kit.chat(model="m"), headers={**AT_ONCE, "cf-aig-max-attempts": "5"})
    assert (reply.status_code, len(upstream.asked)) == (status, 1)


def test_one_attempt_is_the_default(open_client, kit):
    upstream = kit.Scripted(kit.failure(500, "down"))
    client = open_client(LocalGateway(upstream=upstream))
    assert client.post(PATH, json=kit.chat(model="m")).json()["error"]["message"] == "down"
    assert len(upstream.asked) == 1


@pytest.mark.parametrize(("asked", "made"), [("3", 3), ("99", 5), ("0", 1), ("many", 2)])
def test_attempts_are_counted_in_all_kept_in_range_and_the_gateways_when_unreadable(open_client, kit, asked, made):
    upstream = kit.Scripted(kit.failure(500, "down"))
    client = open_client(LocalGateway(upstream=upstream, settings={"retry_max_attempts": 2, "retry_delay": 0}))
    client.post(PATH, json=kit.chat(model="m"), headers={"cf-aig-max-attempts": asked})
    assert len(upstream.asked) == made


@pytest.mark.parametrize("error", [ConnectionRefusedError("nobody"), UpstreamUnreachableError("nobody")])
def test_a_failed_connection_is_tried_again(open_client, kit, error):
    upstream = kit.Scripted(error, kit.completion("now"))
    client = open_client(LocalGateway(upstream=upstream))
    headers = {**AT_ONCE, "cf-aig-max-attempts": "2"}
    assert client.post(PATH, json=kit.chat(model="m"), headers=headers).status_code == 200


def test_a_stream_that_breaks_before_its_first_piece_is_tried_again(open_client, kit):
    upstream = kit.Scripted(kit.streamed(ConnectionResetError("gone")), kit.streamed(b"data: [DONE]\n\n"))
    client = open_client(LocalGateway(upstream=upstream))
    headers = {**AT_ONCE, "cf-aig-max-attempts": "2"}
    assert client.post(PATH, json=kit.chat(model="m", stream=True), headers=headers).text == "data: [DONE]\n\n"


def test_a_dead_upstream_is_reported_in_the_envelope_of_each_host_and_logged(open_client, kit):
    client = open_client(LocalGateway(upstream=kit.Scripted(ConnectionRefusedError("nobody"))))
    reply = client.post(PATH, json=kit.chat(model="m"))
    assert (reply.status_code, reply.json()["internalCode"]) == (400, 2005)
    assert reply.json()["message"] == "Failed to get response from provider"
    log = kit.log(client, reply.headers["cf-aig-log-id"], "gw")
    assert (log["success"], log["status_code"], log["model"]) == (False, 400, "openai/m")
    reply = client.post(f"{kit.rest}/v1/chat/completions", json=kit.chat(), headers=kit.token)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, 2005)


def test_an_answer_that_cannot_be_read_is_no_answer(open_client, kit):
    client = open_client(LocalGateway(upstream=kit.Scripted(Reply(200, (("content-type", "text/html"),), b"<p>"))))
    reply = client.post("/v1/acct/gw/workers-ai/@cf/a/m", json={"prompt": "hi"})
    assert (reply.status_code, reply.json()["internalCode"]) == (400, 2005)


def test_an_attempt_that_is_too_slow_is_left_for_the_next(open_client, kit):
    upstream = Slow(kit.completion("now"), 60, 0)
    client = open_client(LocalGateway(upstream=upstream))
    headers = {**AT_ONCE, "cf-aig-request-timeout": "20", "cf-aig-max-attempts": "2"}
    assert client.post(PATH, json=kit.chat(model="m"), headers=headers).status_code == 200
    assert upstream.asked == 2


def test_the_last_of_several_attempts_is_waited_for(open_client, kit):
    client = open_client(LocalGateway(upstream=Slow(kit.completion("at last"), 60, 0.06)))
    headers = {**AT_ONCE, "cf-aig-request-timeout": "20", "cf-aig-max-attempts": "2"}
    assert client.post(PATH, json=kit.chat(model="m"), headers=headers).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [PATH, "/v1/acct/gw/compat/chat/completions", "{rest}/v1/chat/completions"])
def test_an_attempt_that_is_alone_fails_when_its_timeout_is_over(open_client, kit, path, stream):
    gateway = LocalGateway(upstream=Slow(kit.completion("too late"), 60))
    client = open_client(gateway)
    headers = {**kit.token, "cf-aig-request-timeout": "20"}
    reply = client.post(path.format(rest=kit.rest), json=kit.chat(stream=stream), headers=headers)

    assert (reply.status_code, "2005" in reply.text) == (400, True)
    log = gateway.logs[-1]
    assert (log.id, log.success, log.status_code) == (reply.headers["cf-aig-log-id"], False, 400)


def test_a_setting_of_several_attempts_makes_the_last_one_wait_too(open_client, kit):
    settings = {"retry_max_attempts": 2, "retry_delay": 0}
    client = open_client(LocalGateway(upstream=Slow(kit.completion("at last"), 60, 0.06), settings=settings))
    assert client.post(PATH, json=kit.chat(model="m"), headers={"cf-aig-request-timeout": "20"}).status_code == 200


def test_a_step_that_is_too_slow_is_left_for_the_next_step(open_client, kit):
    client = open_client(LocalGateway(upstream=Slow(kit.completion("now"), 60, 0.06)))
    query = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    step = {
        "provider": "openai",
        "endpoint": "chat/completions",
        "query": query,
        "config": {"requestTimeout": 20},
    }
    assert client.post("/v1/acct/gw", json=[step, step]).headers["cf-aig-step"] == "1"


@pytest.mark.parametrize(
    ("backoff", "pauses"),
    [
        ("constant", [0.5, 0.5, 0.5, 0.5]),
        ("linear", [0.5, 1.0, 1.5, 2.0]),
        ("exponential", [0.5, 1.0, 2.0, 4.0]),
    ],
)
def test_the_pause_grows_as_asked(backoff, pauses):
    plan = AttemptPlan(attempts=5, delay=0.5, backoff=backoff)
    assert [plan.pause(failures) for failures in (1, 2, 3, 4)] == pauses


def test_no_pause_is_longer_than_a_minute():
    assert AttemptPlan(delay=50.0, backoff="exponential").pause(4) == 60.0


@pytest.mark.parametrize("answer", [{}, {"choices": "x"}, {"choices": [1]}, {"choices": [{"message": 7}]}])
def test_json_that_is_no_openai_answer_never_brings_the_gateway_down(open_client, kit, answer):
    client = open_client(LocalGateway(upstream=kit.Scripted(json_reply(200, answer))))
    body = {**kit.chat(model="m"), "max_tokens": 5}
    replies = [client.post(path, json=body) for path in (PATH, "/v1/acct/gw/anthropic/v1/messages")]
    assert replies[0].json() == answer
    assert replies[1].status_code in {200, 400}
