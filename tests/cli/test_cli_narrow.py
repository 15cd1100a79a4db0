"""The console script in a narrow terminal: what is needed of it is never cut."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from aigw import AIGateway

SCRIPT = Path(sys.executable).with_name("cf-aigw")
ACCOUNT = "0123456789abcdef0123456789abcdef"
MODEL = "openai/gpt-4.1-mini-2025-04-14"
COST = {"per_token_in": 0.001, "per_token_out": 0.001}


@pytest.fixture(params=[40, 60])
def terminal(request, environment):
    """Run the script in a terminal of so many columns, and give all it showed, without colours."""

    def run(base_url, *words):
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, request.param, 0, 0))
        given = {name: value for name, value in environment(base_url, TERM="xterm").items() if name != "COLUMNS"}
        try:
            with subprocess.Popen([SCRIPT, *words], stdin=its, stdout=its, stderr=its, env=given) as process:  # noqa: S603 -- our own script
                os.close(its)
                shown = _read(ours)
            assert process.returncode == 0, shown
        finally:
            os.close(ours)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r\n", "\n")

    return run


def _read(terminal):
    pieces = []
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # so Linux tells that the other side has gone
            piece = b""
        if not piece:
            return b"".join(pieces).decode()
        pieces.append(piece)


@pytest.fixture
def log_id(aigw_local):
    with AIGateway(ACCOUNT, "any-token", base_url=aigw_local.base_url) as client:
        body = {"model": MODEL, "messages": [{"role": "user", "content": "Say hello."}]}
        return client.chat(body, gateway={"custom_cost": COST, "event_id": "e" * 36}).info.log_id


def test_a_list_shows_the_ids_of_logs_whole(terminal, aigw_local, log_id):
    assert log_id in terminal(aigw_local.base_url, "logs", "list").split()


def test_a_log_shows_its_ids_whole(terminal, aigw_local, log_id):
    shown = terminal(aigw_local.base_url, "logs", "get", log_id).split()
    assert log_id in shown
    assert "e" * 36 in shown


def test_costs_show_their_numbers_and_models_whole(terminal, aigw_local, log_id):
    with AIGateway(ACCOUNT, "any-token", base_url=aigw_local.base_url) as client:
        cost = client.gateway().get_log(log_id).cost
    shown = terminal(aigw_local.base_url, "cost")
    assert f"${cost:,.6f}" in shown.split()
    assert "…" not in shown
    first, *more = [line.split()[0] for line in shown.splitlines()[1:-1] if line.strip()]
    assert "".join([first, *(part for part in more if part != "Total")]) == MODEL


@pytest.mark.parametrize("words", [(), ("chat",), ("logs", "list")], ids=" ".join)
def test_help_shows_options_and_variables_whole(terminal, words):
    shown = terminal(None, *words, "--help").split()
    assert {"--account-id", "--token-stdin", "CLOUDFLARE_ACCOUNT_ID."} <= set(shown)
    assert "…" not in "".join(shown)


def test_a_doctor_s_findings_are_broken_and_not_cut(terminal, aigw_local):
    shown = terminal(aigw_local.base_url, "doctor")
    assert ACCOUNT in re.sub(r"\s", "", shown)
    assert "All is well." in shown
