"""What the tests of the command line share: the real script, typer's runner, and a server that says what it is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aigw.cli._app import app

TOKEN = "test-token-that-is-never-shown"
SCRIPT = Path(sys.executable).with_name("cf-aigw")


@dataclass
class Done:
    """What came of one run."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def checked(done: Done) -> Done:
    """Give a run that showed no token and no traceback."""
    assert TOKEN not in done.out + done.err
    assert "Traceback" not in done.out + done.err
    return done


def variables(base_url: str | None, more: dict[str, str | None]) -> dict[str, str | None]:
    account = {"CLOUDFLARE_ACCOUNT_ID": "0123456789abcdef0123456789abcdef", "CLOUDFLARE_API_TOKEN": TOKEN}
    return {**account, "AIGW_BASE_URL": base_url, **more}


@pytest.fixture
def invoke(monkeypatch):
    """Run a command inside this process, against a base URL."""

    def invoke(base_url, *words, stdin=None, **more):
        with monkeypatch.context() as patched:
            for name, value in variables(base_url, more).items():
                patched.delenv(name, raising=False) if value is None else patched.setenv(name, value)
            result = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
        assert isinstance(result.exception, SystemExit | None), result.exception
        return checked(Done(result.exit_code, result.stdout, result.stderr))

    return invoke


@pytest.fixture
def environment():
    """Give the environment of the script: this process's own without accounts, and a terminal of 120 columns."""

    def environment(base_url, **more):
        own = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        given = {name: value for name, value in variables(base_url, more).items() if value is not None}
        return {**own, **given}

    return environment


@pytest.fixture
def shell(environment):
    """Run the console script as a process, against a base URL."""

    def shell(base_url, *words, stdin="", **more):
        done = subprocess.run(  # noqa: S603 -- our own script
            [SCRIPT, *map(str, words)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            env=environment(base_url, **more),
        )
        return checked(Done(done.returncode, done.stdout, done.stderr))

    return shell


@pytest.fixture
def start(environment):
    """Start the console script and leave it running; it does not outlive the test."""
    processes = []

    def start(base_url, *words):
        pipe = subprocess.PIPE
        process = subprocess.Popen(  # noqa: S603 -- our own script
            [SCRIPT, *words], stdout=pipe, stderr=pipe, text=True, env=environment(base_url)
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@dataclass
class Scripted:
    """A server whose answers are written down by the end of a path: a status, a body, headers."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    base_url: str = ""

    def answer(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        self.asked.append((method, path, headers))
        plain = path.partition("?")[0]
        found = next((value for end, value in self.answers.items() if plain.endswith(end)), (404, "nothing here", {}))
        status, body, fields = _three(found(path) if callable(found) else found)
        return status, body if isinstance(body, bytes) else _encode(body), fields


def _three(found):
    return (*found, {}) if len(found) == 2 else found


def _encode(body):
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


@pytest.fixture
def scripted():
    """Give a scripted server on a free loopback port."""
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.rfile.read(int(self.headers.get("content-length") or 0))
            fields = {name.lower(): value for name, value in self.headers.items()}
            status, body, headers = script.answer(self.command, self.path, fields)
            self.send_response_only(status)
            for name, value in {"date": self.date_time_string(), "content-type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PATCH = do_GET  # noqa: N815 -- http.server looks for these names

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.base_url = f"http://127.0.0.1:{server.server_port}"
    yield script
    server.shutdown()
    thread.join()
    server.server_close()
