"""`python -m examples.llamaindex_evaluation`, against a gateway that outlives it, and against its own."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

from aigw import AIGateway

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = re.compile(r"CLOUDFLARE_|AIGW_|.*_proxy$", re.IGNORECASE)
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def run_example(**given):
    clean = {variable: value for variable, value in os.environ.items() if not PRIVATE.match(variable)}
    return subprocess.run(
        [sys.executable, "-m", "examples.llamaindex_evaluation"],
        cwd=ROOT,
        env=clean | given,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_both_judges_rate_the_answers_log_and_no_other(aigw_local):
    run = run_example(
        CLOUDFLARE_ACCOUNT_ID="acme", CLOUDFLARE_API_TOKEN="test-token", AIGW_BASE_URL=aigw_local.base_url
    )
    answered, *rated = re.findall(rf"log id ({UUID})", run.stdout)
    with AIGateway("acme", "test-token", base_url=aigw_local.base_url) as client:
        logs = list(client.gateway().iter_logs())
    assert run.stderr == ""
    assert rated == [answered, answered]
    assert [log.id for log in logs if log.feedback is not None] == [answered]
    assert "3 calls, 1 of them rated" in run.stdout


def test_without_credentials_it_starts_its_own_gateway(monkeypatch, capsys):
    for name in ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN", "AIGW_BASE_URL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    runpy.run_path(str(ROOT / "examples" / "llamaindex_evaluation.py"), run_name="__main__")
    assert "two crowns" in capsys.readouterr().out
