"""The examples with other SDKs, run as a user runs them, against a gateway that outlives them."""

import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from aigw import AIGateway

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = re.compile(r"CLOUDFLARE_|AIGW_|OPENAI_|ANTHROPIC_|.*_proxy$", re.IGNORECASE)
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def run_example(name, *, fails=False, **given):
    clean = {variable: value for variable, value in os.environ.items() if not PRIVATE.match(variable)}
    return subprocess.run(  # noqa: S603 - this project's own program
        [sys.executable, "-m", f"examples.{name}"],
        cwd=ROOT,
        env=clean | given,
        capture_output=True,
        text=True,
        timeout=60,
        check=not fails,
    )


@pytest.mark.parametrize(
    ("name", "model"),
    [("openai_sdk", "openai/gpt-4.1-mini"), ("anthropic_sdk", "anthropic/claude-haiku-4-5")],
)
def test_the_log_ids_an_example_prints_are_logs_of_the_gateway(name, model, aigw_local):
    run = run_example(
        name, CLOUDFLARE_ACCOUNT_ID="acme", CLOUDFLARE_API_TOKEN="test-token", AIGW_BASE_URL=aigw_local.base_url
    )
    answered, rated, streamed = re.findall(rf"log id ({UUID})", run.stdout)
    with AIGateway("acme", "test-token", base_url=aigw_local.base_url) as client:
        logs = [client.gateway().get_log(log_id) for log_id in (answered, streamed)]
    assert run.stderr == ""
    assert rated == answered
    assert [(log.model, log.feedback, log.score) for log in logs] == [(model, 1, 100), (model, None, None)]


@pytest.mark.parametrize("name", ["openai_sdk", "anthropic_sdk"])
def test_without_credentials_an_example_starts_its_own_gateway(name):
    run = run_example(name)
    assert run.stderr == ""
    assert run.stdout.count("A log is found by its log id.") == 2
    assert "feedback 1, score 100" in run.stdout


class Recorder(BaseHTTPRequestHandler):
    """Refuses every call and keeps its header fields on the server."""

    def do_POST(self):
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        self.send_error(400)

    def log_message(self, *_):
        pass


@pytest.fixture
def recorder():
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        server.seen = []
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["openai_sdk", "anthropic_sdk"])
def test_without_a_key_of_ones_own_an_example_sends_the_gateways_token_and_no_providers(name, recorder):
    run_example(
        name,
        fails=True,
        CLOUDFLARE_ACCOUNT_ID="acme",
        CLOUDFLARE_API_TOKEN="test-token",
        AIGW_BASE_URL=f"http://127.0.0.1:{recorder.server_port}",
    )
    (headers,) = recorder.seen
    assert headers["cf-aig-authorization"] == "Bearer test-token"
    assert not {"authorization", "x-api-key", "api-key"} & set(headers)
