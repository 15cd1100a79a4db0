"""`python -m examples.demo`, run as a user runs it and judged by what it prints."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aigw import AIGateway
from aigw.local import LocalGateway

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = re.compile(r"CLOUDFLARE_|AIGW_|DOCS$|QUESTION$|UPSTREAM|MODEL$|EMBED_MODEL$|.*_proxy$", re.IGNORECASE)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
FACTS = "The depot opens at seven. A tram ticket costs two crowns.\n\nDogs travel free on the tram.\n"


def environment(**given):
    clean = {name: value for name, value in os.environ.items() if not PRIVATE.match(name)}
    return clean | {name: str(value) for name, value in given.items()}


def run_demo(**given):
    return subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        env=environment(**given),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def section(output, title):
    """Give the lines below the heading that begins with `title`, up to the next heading."""
    body = re.search(rf"^{re.escape(title)}.*?─\n(.*?)(?=^\S[^\n]*──|\Z)", output, re.DOTALL | re.MULTILINE)
    assert body, f"no part {title!r} in:\n{output}"
    return body[1]


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    path = tmp_path_factory.mktemp("documents") / "tram.md"
    path.write_text(FACTS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def gateway():
    with LocalGateway(tokens=["test-token"], models=["@cf/*"]) as local:
        yield local


@pytest.fixture(scope="module")
def offline_run():
    return run_demo()


@pytest.fixture(scope="module")
def account_run(gateway, facts):
    """A run with credentials, so that its logs outlive it; the local gateway stands in for Cloudflare's."""
    return run_demo(
        CLOUDFLARE_ACCOUNT_ID="acme",
        CLOUDFLARE_API_TOKEN="test-token",
        AIGW_BASE_URL=gateway.base_url,
        DOCS=facts,
        QUESTION="What does a tram ticket cost?",
    )


def test_without_any_setting_it_answers_from_the_projects_own_documentation(offline_run):
    assert (offline_run.returncode, offline_run.stderr) == (0, "")
    assert re.search(r"documents +README\.md, ", offline_run.stdout)
    assert "The offline model is no language model" in offline_run.stdout


def test_what_goes_into_a_file_is_a_page_of_120_columns(offline_run):
    assert max(map(len, offline_run.stdout.splitlines())) == 120


@pytest.mark.parametrize("framework", ["LangChain", "LlamaIndex"])
def test_an_offline_run_reads_feedback_and_score_back_and_meets_the_cache(offline_run, framework):
    rated = section(offline_run.stdout, "Thumbs up")
    again = section(offline_run.stdout, "The same question again")
    assert re.search(rf"^{framework} +{UUID.pattern} +1 +100$", rated, re.MULTILINE)
    assert re.search(rf"^{framework} +answer +local/quotes +{UUID.pattern} +MISS ", again, re.MULTILINE)
    assert re.search(rf"^{framework} +answer +local/quotes +{UUID.pattern} +HIT ", again, re.MULTILINE)


@pytest.mark.parametrize("framework", ["LangChain", "LlamaIndex"])
def test_both_frameworks_answer_from_the_documents(account_run, framework):
    assert (account_run.returncode, account_run.stderr) == (0, "")
    assert "A tram ticket costs two crowns." in section(account_run.stdout, f"{framework} answers, streamed")


def test_every_log_id_it_prints_is_a_log_of_the_gateway(account_run, gateway):
    with AIGateway("acme", "test-token", base_url=gateway.base_url) as client:
        kept = {log.id for log in client.gateway().iter_logs()}
    assert set(UUID.findall(account_run.stdout)) == kept


def test_the_feedback_is_on_the_answering_log_of_each_framework_and_on_no_other(account_run, gateway):
    with AIGateway("acme", "test-token", base_url=gateway.base_url) as client:
        rated = [log for log in client.gateway().iter_logs(direction="asc") if log.feedback is not None]
    assert [(log.feedback, log.score, log.model_type, log.metadata["framework"]) for log in rated] == [
        (1, 100, "text-generation", "LangChain"),
        (1, 100, "text-generation", "LlamaIndex"),
    ]
    assert UUID.findall(section(account_run.stdout, "Thumbs up")) == [log.id for log in rated]


@pytest.mark.usefixtures("account_run")
def test_it_asks_the_models_of_workers_ai_when_it_has_credentials(gateway):
    with AIGateway("acme", "test-token", base_url=gateway.base_url) as client:
        models = {log.model for log in client.gateway().iter_logs()}
    assert models == {"@cf/meta/llama-3.3-70b-instruct-fp8-fast", "@cf/baai/bge-m3"}


def test_an_upstream_answers_through_the_local_gateway(gateway, facts):
    """The upstream is a second local gateway, at its OpenAI-compatible path, which has no list of models."""
    run = run_demo(
        UPSTREAM=f"{gateway.base_url}/v1/upstream-account/default/workers-ai/v1",
        UPSTREAM_API_KEY="test-token",
        MODEL="@cf/meta/tram",
        DOCS=facts,
        QUESTION="Who travels free?",
    )
    with AIGateway("upstream-account", "test-token", base_url=gateway.base_url) as client:
        asked = [log.model for log in client.gateway().iter_logs() if log.model]
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.count("Dogs travel free on the tram.") == 2
    assert "upstream/tram answers, local/lexical embeds" in run.stdout
    assert asked == ["@cf/meta/tram"] * 4


FAILURES = {
    "no such document": ({"DOCS": "no/such/file.md"}, "there is no document no/such/file.md"),
    "a folder without documents": ({"DOCS": "{folder}"}, "there is no document with text in "),
    "an empty document": ({"DOCS": "{folder}/empty.dat"}, "/empty.dat is empty"),
    "a binary document": ({"DOCS": "{folder}/binary.dat"}, "/binary.dat: it is not text in UTF-8"),
    "a model the offline gateway lacks": ({"MODEL": "acme/none"}, "there is no model acme/none offline"),
    "an upstream that is no URL": ({"UPSTREAM": "localhost:11434"}, "UPSTREAM is a URL such as "),
    "a dead upstream": ({"UPSTREAM": "http://127.0.0.1:{closed_port}/v1"}, "nothing answers at the upstream "),
    "an upstream that names no model": ({"UPSTREAM": "{origin}/v1/a/default/openai"}, "lists no chat model: set MODEL"),
    "a model the upstream lacks": (
        {"UPSTREAM": "{origin}/v1/a/default/openai", "UPSTREAM_API_KEY": "test-token", "MODEL": "none"},
        "Model not found: none",
    ),
    "half of the credentials": ({"CLOUDFLARE_API_TOKEN": "test-token"}, "CLOUDFLARE_ACCOUNT_ID is not set"),
    "a wrong token": (
        {"CLOUDFLARE_ACCOUNT_ID": "acme", "CLOUDFLARE_API_TOKEN": "wrong", "AIGW_BASE_URL": "{origin}"},
        "the gateway refused the token in CLOUDFLARE_API_TOKEN",
    ),
    "a model the account lacks": (
        {
            "CLOUDFLARE_ACCOUNT_ID": "acme",
            "CLOUDFLARE_API_TOKEN": "test-token",
            "AIGW_BASE_URL": "{origin}",
            "MODEL": "acme/none",
        },
        "acme/none",
    ),
}


@pytest.mark.parametrize(("given", "sentence"), FAILURES.values(), ids=FAILURES)
def test_what_is_in_the_way_is_told_in_one_line_with_exit_code_1(given, sentence, gateway, tmp_path):
    (tmp_path / "empty.dat").touch()
    (tmp_path / "binary.dat").write_bytes(b"\xff\x00\xfe\x01")
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # nothing listens there while this test runs
        facts = {"folder": tmp_path, "origin": gateway.base_url, "closed_port": reserved.getsockname()[1]}
        run = run_demo(**{name: value.format(**facts) for name, value in given.items()})
    assert run.returncode == 1
    assert run.stderr.startswith("demo: ")
    assert sentence in run.stderr
    assert run.stderr.count("\n") == 1
    assert "Traceback" not in run.stdout + run.stderr


def test_an_interrupt_ends_it_quietly_with_exit_code_130():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        upstream = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        demo = subprocess.Popen(
            [sys.executable, "-m", "examples.demo"],
            cwd=ROOT,
            env=environment(UPSTREAM=upstream),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        connection, _ = silent.accept()  # it waits for the upstream's answer now
        with connection:
            demo.send_signal(signal.SIGINT)
            output = demo.communicate(timeout=30)
    assert (demo.returncode, *output) == (130, b"", b"")
