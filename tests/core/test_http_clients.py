"""The HTTP clients under the drivers: redirects, a user's own client, event loops, forks."""

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import warnings

import httpx
import httpx2
import pytest

from aigw import AIGateway, APIStatusError, AsyncAIGateway, ConfigurationError

PROVIDER_HEADERS = {"authorization", "x-api-key", "api-key", "x-goog-api-key", "xi-api-key"}
PLANTED = {
    "Authorization": "Bearer planted-key",
    "X-Api-Key": "planted-key",
    "api-key": "planted-key",
    "x-goog-api-key": "planted-key",
    "cf-aig-authorization": "Bearer planted-key",
    "x-mine": "stays",
}


@pytest.fixture(params=["httpx", "httpx2"])
def own_client(request, driver):
    """Make a client of the user's own, of the kind that the driver takes."""
    module = {"httpx": httpx, "httpx2": httpx2}[request.param]

    def make(**settings):
        client = (module.AsyncClient if driver.is_async else module.Client)(**settings)
        driver.closing.append(lambda: driver.close(client))
        return client

    return make


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_carries_nothing_away(driver, server, open_server, wire, status):
    other = open_server()
    server.will(wire.Reply(status, (("location", f"{other.url}/elsewhere"), *wire.ids)))
    client = driver.client(server, provider_key="own-key-0123")
    calls = [
        lambda: client.chat(wire.chat),
        lambda: client.run("@cf/a/b", {}),
        lambda: client.stream_chat(wire.chat),
        lambda: client.gateway().get_log("1"),
    ]
    for call in calls:
        with pytest.raises(APIStatusError, match="redirects are not followed") as refused:
            await driver.done(call())
        assert refused.value.status_code == status

    assert (len(server.requests), other.requests, other.connections) == (4, [], 0)


async def test_a_client_that_follows_redirects_does_not_here(driver, server, open_server, wire, own_client):
    other = open_server()
    server.will(wire.Reply(307, (("location", other.url),)))

    with pytest.raises(APIStatusError, match="redirects"):
        await driver.done(driver.client(server, http_client=own_client(follow_redirects=True)).chat(wire.chat))
    assert other.connections == 0


async def test_a_users_client_is_used_and_never_closed(driver, server, wire, own_client):
    server.will(wire.json(wire.completion("Hello"), 200, *wire.ids))
    mine = own_client(headers={"x-mine": "stays"})
    client = driver.client(server, http_client=mine)
    result = await driver.done(client.chat(wire.chat))
    await driver.close(client)

    assert (result.text, result.info.log_id) == ("Hello", "01LOG")
    assert server.last.header("x-mine") == "stays"
    assert not mine.is_closed


async def test_a_users_client_streams_and_reports_its_failures_as_ours(driver, server, wire, own_client):
    server.will(wire.sse(wire.chunk("a", "stop"), wire.done), wire.Reply(cut="before"))
    client = driver.client(server, http_client=own_client())
    stream = await driver.done(client.stream_chat(wire.chat))

    assert [chunk.text for chunk in await driver.items(stream)] == ["a"]
    with pytest.raises(Exception, match=r"No answer from http://127\.0\.0\.1") as failed:
        await driver.done(client.chat(wire.chat))
    assert type(failed.value).__name__ == "APIConnectionError"


@pytest.mark.parametrize("surface", ["compat", "native"])
async def test_a_users_default_credentials_stay_behind(driver, server, wire, own_client, surface):
    server.will(wire.json(wire.completion()))
    mine = own_client(headers=PLANTED, auth=("planted-key", "planted-key"))
    await driver.done(driver.client(server, http_client=mine).chat(wire.chat, surface=surface))

    assert server.last.names & PROVIDER_HEADERS == set()
    assert server.last.header("cf-aig-authorization") == f"Bearer {wire.token}"
    assert "planted-key" not in str(server.last)
    assert server.last.header("x-mine") == "stays"


async def test_on_rest_our_token_replaces_a_users_default(driver, server, wire, own_client):
    server.will(wire.json(wire.completion()))
    await driver.done(driver.client(server, http_client=own_client(headers=PLANTED)).chat(wire.chat))

    assert server.last.header("authorization") == f"Bearer {wire.token}"
    assert "planted-key" not in str(server.last)


async def test_credentials_of_a_netrc_file_stay_behind(driver, server, wire, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login planted-key password planted-key\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.will(wire.json(wire.completion()))
    await driver.done(driver.client(server).chat(wire.chat, surface="compat"))

    assert server.last.names & PROVIDER_HEADERS == set()


async def test_cookies_of_one_answer_do_not_travel_with_the_next(server, wire):
    server.will(wire.json(wire.completion(), 200, ("set-cookie", "__cf_bm=1; path=/")))
    with AIGateway("acct", wire.token, base_url=server.url) as client:
        client.chat(wire.chat)
        client.chat(wire.chat)

    assert server.last.header("cookie") is None


@pytest.mark.parametrize(
    ("client_class", "wrong"),
    [(AIGateway, httpx.AsyncClient), (AsyncAIGateway, httpx.Client), (AIGateway, httpx2.AsyncClient)],
)
def test_a_client_of_the_other_kind_is_refused(client_class, wrong):
    with pytest.raises(ConfigurationError, match=f"http_client cannot be a {wrong.__name__}"):
        client_class("acct", "t", http_client=wrong())


async def test_one_connection_is_kept_between_calls(driver, server, wire):
    server.will(wire.json(wire.completion()))
    client = driver.client(server)
    for _ in range(3):
        await driver.done(client.chat(wire.chat))

    assert (len(server.requests), server.connections) == (3, 1)


async def test_a_closed_client_opens_again(driver, server, wire):
    server.will(wire.json(wire.completion("Hello")))
    client = driver.client(server)
    await driver.close(client)
    await driver.done(client.chat(wire.chat))
    await driver.close(client)

    assert (await driver.done(client.chat(wire.chat))).text == "Hello"


def test_one_async_client_serves_two_event_loops(server, wire):
    server.will(wire.json(wire.completion("Hello")))
    client = AsyncAIGateway("acct", wire.token, base_url=server.url, max_retries=0)

    async def use():
        answers = await asyncio.gather(*(client.chat(wire.chat) for _ in range(3)))
        return [answer.text for answer in answers]

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert asyncio.run(use()) == ["Hello"] * 3
        assert asyncio.run(use()) == ["Hello"] * 3
        gc.collect()

    assert len(server.requests) == 6
    assert [str(warning.message) for warning in caught] == []


def test_a_stream_left_open_when_its_loop_ends_makes_no_noise(server, wire):
    server.will(wire.sse(wire.chunk("a"), endless=True))
    client = AsyncAIGateway("acct", wire.token, base_url=server.url)

    async def use():
        return (await anext(client.stream_chat(wire.chat))).text

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert asyncio.run(use()) == "a"
        gc.collect()

    assert [str(warning.message) for warning in caught] == []
    assert server.gone.wait(5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork, which only POSIX has")
def test_a_client_used_before_a_fork_works_after_it_in_both_processes(server, wire):
    server.will(wire.json(wire.completion("Hello")))
    script = f"""
        import os
        from aigw import AIGateway
        client = AIGateway("acct", "test-token", base_url={server.url!r}, max_retries=0)
        body = {wire.chat!r}
        assert client.chat(body).text == "Hello"
        child = os.fork()
        if not child:
            assert client.chat(body).text == "Hello"
            client.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert client.chat(body).text == "Hello"
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, timeout=30)  # noqa: S603 -- our own script

    assert (len(server.requests), server.connections) == (3, 2)


async def test_no_cookie_is_sent_back_but_by_a_client_of_the_users_own(driver, server, wire):
    server.will(wire.Reply(200, (("set-cookie", "session=1; Path=/"), *wire.ids), (b'{"result": {}}',)))
    client = driver.client(server.url.replace("127.0.0.1", "localhost"))

    await driver.done(client.run("@cf/a/b", {}))
    await driver.done(client.run("@cf/a/b", {}))

    kept = "session=1" if driver.kind == "async-httpx" else None
    assert [request.header("cookie") for request in server.requests] == [None, kept]
