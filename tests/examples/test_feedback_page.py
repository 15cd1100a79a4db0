"""The chat page with thumbs: in a real browser against the local gateway, and started as a user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from aigw import AIGateway, AsyncAIGateway
from aigw.feedback import FeedbackTokens

from ..asgi_server import serve as serve  # noqa: PLC0414, TID252  a fixture of the app's tests too
from ..browser import browser as browser  # noqa: PLC0414, TID252  a fixture of other pages too
from ..browser import open_page as open_page  # noqa: PLC0414, TID252  likewise

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
SECRET = "correct horse battery staple"
API_TOKEN = "the-api-token"
MODEL = "openai/gpt-4.1-mini"


@pytest.fixture
def url(serve: Any, aigw_local: Any) -> str:
    """Serve the page before the local gateway."""
    from examples.feedback_page.server import build_app  # noqa: PLC0415 - found beside the tests, not installed

    client = AsyncAIGateway("acme", API_TOKEN, base_url=aigw_local.base_url)
    return serve(build_app(client, FeedbackTokens(SECRET), MODEL))


@pytest.fixture
def newest_log(aigw_local: Any) -> Any:
    """Give what the gateway's API says of the last call, once it is as expected."""
    with AIGateway("acme", API_TOKEN, base_url=aigw_local.base_url) as client:

        def newest_log(**expected: Any) -> Any:
            deadline = time.monotonic() + 5
            while True:
                log = client.gateway().list_logs().logs[0]
                seen = {name: getattr(log, name) for name in expected}
                if seen == expected or time.monotonic() > deadline:
                    assert seen == expected
                    return log
                time.sleep(0.02)

        yield newest_log


def ask(page: Page, text: str = "Is the answer streamed?") -> Any:
    """Ask, and give the turn once it can be rated."""
    turn = page.get_by_role("article").nth(page.get_by_role("article").count())
    page.get_by_label("Your question").fill(text)
    page.keyboard.press("Enter")
    expect(turn.get_by_role("group", name="Rate this answer")).to_be_visible()
    return turn


def test_an_answer_streams_in_and_a_thumb_goes_to_its_log(url, open_page, newest_log):
    turn = ask(open_page(url))
    expect(turn.locator(".answer")).not_to_be_empty()
    expect(turn.locator(".answer")).to_have_attribute("aria-busy", "false")
    newest_log(feedback=None)
    good = turn.get_by_role("button", name="Good answer")
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    expect(turn.get_by_role("status")).to_have_text("Thank you.")
    newest_log(feedback=1)


def test_another_thumb_replaces_the_first_and_the_same_takes_it_back(url, open_page, newest_log):
    turn = ask(open_page(url))
    good, bad = (turn.get_by_role("button", name=name) for name in ("Good answer", "Bad answer"))
    good.click()
    bad.click()
    expect(good).to_have_attribute("aria-pressed", "false")
    expect(bad).to_have_attribute("aria-pressed", "true")
    newest_log(feedback=-1)
    bad.click()
    expect(bad).to_have_attribute("aria-pressed", "false")
    newest_log(feedback=None)


def test_each_answer_has_thumbs_of_its_own(url, open_page, newest_log, aigw_local):
    page = open_page(url)
    first = ask(page, "One?")
    ask(page, "Two?")
    first.get_by_role("button", name="Good answer").click()
    expect(first.get_by_role("status")).to_have_text("Thank you.")
    newest_log(feedback=None)
    with AIGateway("acme", API_TOKEN, base_url=aigw_local.base_url) as client:
        logs = client.gateway().list_logs(direction="asc").logs
        assert client.gateway().get_log(logs[0].id, wait=1).feedback == 1


def test_after_a_thumb_down_a_comment_can_be_sent_by_keyboard_alone(url, open_page, newest_log):
    page = open_page(url)
    turn = ask(page)
    turn.get_by_role("button", name="Good answer").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    comment = turn.get_by_label("What was wrong?")
    expect(comment).to_be_focused()
    page.keyboard.type("It is not true.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(turn.get_by_role("status")).to_have_text("Thank you for telling us.")
    expect(comment).to_be_hidden()
    expect(turn.get_by_role("button", name="Bad answer")).to_be_focused()
    assert newest_log(feedback=-1, metadata={"comment": "It is not true."})


def test_a_token_that_has_expired_is_told_in_a_sentence_and_the_thumb_comes_back_up(url, browser, monkeypatch):
    page = browser.new_page()
    page.goto(url)
    turn = ask(page)
    real = time.time
    monkeypatch.setattr("aigw.feedback._tokens.time.time", lambda: real() + 8 * 86_400)
    good = turn.get_by_role("button", name="Good answer")
    good.click()
    expect(turn.get_by_role("status")).to_have_text("This answer can no longer be rated.")
    expect(good).to_have_attribute("aria-pressed", "false")
    page.close()


def test_a_server_that_is_gone_is_told_in_a_sentence(url, browser):
    page = browser.new_page()
    page.goto(url)
    turn = ask(page)
    page.context.set_offline(True)
    turn.get_by_role("button", name="Good answer").click()
    expect(turn.get_by_role("status")).to_have_text("The server cannot be reached.")
    page.close()


def test_the_browser_receives_no_credential(url, browser):
    page = browser.new_page()
    received: list[Any] = []
    page.on("requestfinished", lambda request: received.append(request))  # noqa: PLW0108  a method takes no attributes
    page.goto(url)
    turn = ask(page)
    with page.expect_event("requestfinished", lambda request: "/feedback/" in request.url):
        turn.get_by_role("button", name="Bad answer").click()
    replies = [request.response() for request in received]
    assert {httpx.URL(reply.url).path for reply in replies} >= {"/", "/page.js", "/ask", "/feedback/"}
    texts = [f"{reply.url} {reply.all_headers()} {reply.text()}" for reply in replies]
    assert not any(secret in text for text in texts for secret in (API_TOKEN, SECRET))
    page.close()


def test_what_a_person_or_a_model_says_is_text(url, open_page, aigw_local):
    hostile = "<img src=x onerror='window.hacked = 1'><b>bold</b>"
    page = open_page(url)
    aigw_local.script([hostile])
    turn = ask(page, hostile)
    expect(turn.get_by_role("heading")).to_have_text(hostile)
    expect(turn.locator(".answer")).to_have_text(hostile)
    assert turn.locator("img, b").count() == 0
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_colours_of_the_system(scheme, url, open_page):
    page = open_page(url, color_scheme=scheme)
    ask(page)
    shown = page.evaluate("getComputedStyle(document.querySelector('textarea')).backgroundColor")
    is_light = sum(int(part) for part in re.findall(r"\d+", shown)[:3]) > 380
    assert is_light == (scheme == "light")


def test_one_command_serves_the_page_and_a_gateway_of_its_own():
    clean = {name: value for name, value in os.environ.items() if not re.match(r"CLOUDFLARE_|AIGW_|MODEL$", name)}
    with subprocess.Popen(
        [sys.executable, "-m", "examples.feedback_page"],
        cwd=ROOT,
        env=clean | {"PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        gateway, chat = (re.search(r"http://\S+", program.stdout.readline())[0] for _ in range(2))
        with httpx.Client(base_url=chat) as browser:
            lines = browser.post("/ask", json={"question": "Hello?"}).text.splitlines()
            token = httpx.Response(200, content=lines[-1]).json()["token"]
            assert browser.post("/feedback/", json={"token": token, "value": 1}).status_code == 202
        with AIGateway("local", "any", base_url=gateway) as client:
            assert wait_for_feedback(client) == 1
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=20)
    assert errors == ""


def wait_for_feedback(client: AIGateway) -> int | None:
    deadline = time.monotonic() + 5
    while (log := client.gateway().list_logs().logs[0]).feedback is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return log.feedback
