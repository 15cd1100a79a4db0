"""`python -m examples.score_logs`, against a gateway that outlives it, and against its own."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = re.compile(r"CLOUDFLARE_|AIGW_|.*_proxy$", re.IGNORECASE)


def test_every_answer_is_scored_in_its_log_and_once(aigw_local):
    account = {"CLOUDFLARE_ACCOUNT_ID": "acme", "CLOUDFLARE_API_TOKEN": "test-token"}
    clean = {variable: value for variable, value in os.environ.items() if not PRIVATE.match(variable)}
    run = subprocess.run(
        [sys.executable, "-m", "examples.score_logs"],
        cwd=ROOT,
        env=clean | account | {"AIGW_BASE_URL": aigw_local.base_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stderr == ""
    assert "first run: 3 scored, 0 already, 0 failed" in run.stdout
    assert "second run: 0 scored, 3 already, 0 failed" in run.stdout
    assert [log.metadata["source"] for log in aigw_local.logs] == ["text"] * 3
    assert [log.feedback for log in aigw_local.logs] == [1, 1, -1]


def test_without_credentials_it_starts_its_own_gateway(monkeypatch, capsys):
    for name in ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN", "AIGW_BASE_URL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    runpy.run_path(str(ROOT / "examples" / "score_logs.py"), run_name="__main__")
    assert "two crowns" in capsys.readouterr().out
