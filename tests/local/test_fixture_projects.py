"""The fixtures in projects of other people: a folder with a test file, and nothing else but `aigw` installed."""

import json
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

pytest_plugins = ["pytester"]

BODY = '{"model": "openai/gpt-5-mini", "messages": [{"role": "user", "content": "Hello"}]}'


@pytest.fixture
def run(pytester, monkeypatch):
    """Run a project's tests as a process of its own, with `aigw` and the plugins named; give the result."""
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)

    def run(*options, plugins=(), test):
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # all that are installed take seconds to load
        pytester.makepyfile(test_project=f"from aigw import *\nimport httpx, os, pytest\n{test}")
        named = [word for plugin in ("aigw.local.pytest_plugin", *plugins) for word in ("-p", plugin)]
        return pytester.runpytest_subprocess("--strict-markers", "-W", "error", *named, *options)

    return run


def test_three_lines_suffice_with_a_server(run):
    run(
        test=f"""
def test_chain(aigw_local):
    answer = AIGateway().chat({BODY})
    assert aigw_local.logs[0].id == answer.info.log_id
"""
    ).assert_outcomes(passed=1)


def test_three_lines_suffice_inside_the_process_with_sockets_shut(run):
    run(
        "--disable-socket",
        plugins=["pytest_socket"],
        test=f"""
def test_chain(aigw_transport):
    answer = AIGateway(http_client=aigw_transport.client()).chat({BODY})
    assert aigw_transport.logs[0].id == answer.info.log_id

def test_stream(aigw_transport):
    client = AIGateway(http_client=httpx.Client(transport=aigw_transport))
    with aigw_transport.script([{{"pieces": ["one ", "two"], "delay": 1}}]):
        assert [chunk.text for chunk in client.stream_chat({BODY}) if chunk.text] == ["one ", "two"]

def test_feedback(aigw_transport):
    client = AIGateway(http_client=aigw_transport.client())
    log_id = client.chat({BODY}).info.log_id
    client.gateway().patch_log(log_id, feedback=1)
    aigw_transport.expect_feedback(log_id, feedback=1)
""",
    ).assert_outcomes(passed=3)


def test_asynchronous_code_runs_inside_the_process(run):
    run(
        "--disable-socket",
        "--allow-unix-socket",
        "-o",
        "asyncio_mode=auto",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
        plugins=["pytest_socket", "pytest_asyncio.plugin"],
        test=f"""
async def test_chain(aigw_transport):
    async with AsyncAIGateway(http_client=aigw_transport.async_client()) as client:
        answer = await client.chat({BODY})
        stream = [chunk async for chunk in client.stream_chat({BODY})]
    assert aigw_transport.logs.log_ids == [answer.info.log_id, stream[0].info.log_id]
""",
    ).assert_outcomes(passed=1)


def test_a_server_with_sockets_shut_says_what_to_do(run):
    options = ["--disable-socket", "-W", "default"]
    result = run(*options, plugins=["pytest_socket"], test="def test_chain(aigw_local): ...")
    result.assert_outcomes(errors=1, warnings=1)
    result.stdout.fnmatch_lines(["*allow it with --allow-hosts=127.0.0.1, or take aigw_transport"])


def test_they_work_in_many_processes(run):
    run(
        "-n",
        "2",
        plugins=["xdist.plugin"],
        test=f"""
@pytest.mark.parametrize("number", range(6))
def test_server(aigw_local, number):
    with aigw_local.script([str(number)]):
        assert AIGateway().chat({BODY}).text == str(number)
    assert len(aigw_local.logs) == len(aigw_local.requests) == 1

@pytest.mark.parametrize("number", range(6))
def test_process(aigw_transport, number):
    with aigw_transport.script([str(number)]):
        assert AIGateway(http_client=aigw_transport.client()).chat({BODY}).text == str(number)
    assert len(aigw_transport.logs) == len(aigw_transport.requests) == 1
""",
    ).assert_outcomes(passed=12)


def test_a_marker_and_a_fixture_configure_the_gateway(run, monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "the developer's own")
    monkeypatch.setenv("CLOUDFLARE_AI_GATEWAY_ID", "the-developers-own")
    run(
        test=f"""
pytestmark = pytest.mark.aigw_local(settings={{"cache_ttl": 300}}, models=["openai/*"])

@pytest.fixture
def aigw_local_config():
    return {{"tokens": ["good-token", "another"], "models": ["nothing/*"]}}

def test_fixture_and_marker(aigw_local):
    client = AIGateway()
    assert os.environ["CLOUDFLARE_API_TOKEN"] == "good-token"
    assert [client.chat({BODY}).info.cache_status for _ in range(2)] == ["MISS", "HIT"]
    with pytest.raises(AuthenticationError):
        AIGateway(api_token="wrong").chat({BODY})

@pytest.mark.aigw_local(settings={{"rate_limiting_limit": 1, "rate_limiting_interval": 3600}})
def test_the_nearest_marker_wins_key_by_key(aigw_transport):
    client = AIGateway(http_client=aigw_transport.client(), max_retries=0)
    assert client.chat({BODY}).info.cache_status == "MISS"
    with pytest.raises(RateLimitError):
        client.chat({BODY})

def test_the_environment_is_put_back():
    assert os.environ["CLOUDFLARE_API_TOKEN"] == "the developer's own"
    assert "AIGW_BASE_URL" not in os.environ
"""
    ).assert_outcomes(passed=3)


def test_a_marker_is_told_what_is_wrong_with_it(run):
    result = run(
        test="""
@pytest.mark.aigw_local({"cache_ttl": 300})
def test_position(aigw_transport): ...

@pytest.mark.aigw_local(settings={"cache_tll": 300})
def test_setting(aigw_transport): ...
"""
    )
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*aigw_local takes keywords only*", "*unknown gateway setting 'cache_tll'*"])


def test_what_was_expected_and_not_seen_is_told(run):
    result = run(
        test=f"""
def test_script(aigw_transport):
    aigw_transport.script(["played", "left"])
    assert AIGateway(http_client=aigw_transport.client()).chat({BODY}).text == "played"

def test_feedback(aigw_transport):
    log_id = AIGateway(http_client=aigw_transport.client()).chat({BODY}).info.log_id
    aigw_transport.expect_feedback(log_id, score=1, wait=0)
"""
    )
    result.assert_outcomes(passed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines_random(
        [
            "E*AssertionError: 1 of the script's 2 turns not played: turn 2 ('left')",
            "E*AssertionError: no score=1 for log '*' within 0 s; it has feedback=None, score=None, metadata=None",
            "E*<* openai/gpt-5-mini 200>",
        ]
    )


def test_a_factory_makes_gateways_that_live_as_long_as_the_session(run):
    run(
        test=f"""
@pytest.fixture(scope="session")
def gateway(aigw_local_factory):
    return aigw_local_factory(settings={{"cache_ttl": 300}})

@pytest.mark.parametrize("status", ["MISS", "HIT"])
def test_one_cache(gateway, status):
    client = AIGateway("acct", "token", base_url=gateway.base_url)
    assert client.chat({BODY}).info.cache_status == status
    assert "AIGW_BASE_URL" not in os.environ
"""
    ).assert_outcomes(passed=2)


def test_installing_the_distribution_brings_the_fixtures():
    assert entry_points(group="pytest11")["aigw"].value == "aigw.local.pytest_plugin"


LOADED = """
import json, pathlib, sys, pytest

class Watch:
    def pytest_sessionfinish(self):
        pathlib.Path("modules.json").write_text(json.dumps(list(sys.modules)))

pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]], plugins=[Watch()])
"""


def loaded(pytester, monkeypatch, *options):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(test_nothing="def test_nothing(): ...")
    command = [sys.executable, "-c", LOADED, *options]
    subprocess.run(command, cwd=pytester.path, capture_output=True, check=True)  # noqa: S603 -- our own
    return set(json.loads((pytester.path / "modules.json").read_text()))


def test_nothing_heavy_is_loaded_while_no_fixture_is_used(pytester, monkeypatch):
    without = loaded(pytester, monkeypatch)
    new = loaded(pytester, monkeypatch, "-p", "aigw.local.pytest_plugin") - without
    assert new == {"aigw", "aigw._lazy", "aigw._version", "aigw.local", "aigw.local.pytest_plugin"}
