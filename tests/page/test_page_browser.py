"""The page in a real browser: what moves, what is clicked, and what must not run."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from ..browser import browser as browser  # noqa: PLC0414, TID252  a fixture of other pages too
from ..browser import open_page as open_page  # noqa: PLC0414, TID252  likewise

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROWS = "#logs tbody tr"


@pytest.fixture
def page(visitor: Any, open_page: Any) -> Page:
    visitor.call("the first call")
    return open_page(visitor.gateway.base_url)


def test_a_new_log_appears_by_itself_and_is_announced(visitor, page):
    expect(page.locator(ROWS)).to_have_count(1)
    log_id = visitor.call("the second call")
    expect(page.locator(ROWS)).to_have_count(2)
    expect(page.locator(ROWS).first).to_have_attribute("data-log", log_id)
    expect(page.locator("#news[aria-live=polite]")).to_have_text("1 new log")


def test_the_first_log_of_all_appears_by_itself(visitor, open_page):
    page = open_page(visitor.gateway.base_url)
    expect(page.get_by_role("heading", name="No call yet")).to_be_visible()
    visitor.call()
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator("#picker summary")).to_contain_text("acme/default")


def test_a_paused_page_stands_still_and_then_catches_up(visitor, page):
    page.get_by_role("button", name="Live").click()
    with page.expect_event("console", lambda line: line.text == "changed"):
        page.evaluate("document.addEventListener('sse:logs', () => console.log('changed'))")
        visitor.call()
    expect(page.locator(ROWS)).to_have_count(1)
    page.get_by_role("button", name="Live").click()
    expect(page.locator(ROWS)).to_have_count(2)


def test_feedback_by_the_api_appears_by_itself(visitor, page):
    log_id = page.locator(ROWS).get_attribute("data-log")
    visitor.client.patch(f"{visitor.LOGS}/{log_id}", json={"feedback": -1}, headers={"authorization": "Bearer t"})
    expect(page.get_by_role("img", name="thumb down")).to_be_visible()


def test_a_filter_holds_while_one_types_and_for_new_logs_too(visitor, page):
    claude = visitor.call("two", "anthropic/claude-sonnet-4-5")
    expect(page.locator(ROWS)).to_have_count(2)
    page.get_by_label("Model").fill("claude")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(ROWS)).to_have_attribute("data-log", claude)
    expect(page).to_have_url(re.compile("model=claude"))
    visitor.call("three")
    again = visitor.call("two", "anthropic/claude-sonnet-4-5")
    expect(page.locator(ROWS)).to_have_count(2)
    expect(page.locator(ROWS).first).to_have_attribute("data-log", again)
    page.get_by_role("combobox", name="Cache").select_option("hit")
    expect(page.locator(ROWS)).to_have_count(1)
    page.reload()
    expect(page.get_by_label("Model")).to_have_value("claude")
    expect(page.locator(ROWS)).to_have_count(1)
    page.get_by_role("link", name="Clear the filters").click()
    expect(page.locator(ROWS)).to_have_count(4)


def test_an_opened_log_has_its_own_address_and_the_way_back(visitor, page):
    page.locator(f"{ROWS} a").click()
    expect(page.get_by_role("heading", name="openai/gpt-4.1-mini")).to_be_focused()
    expect(page.locator("#request-body")).to_contain_text("the first call")
    expect(page).to_have_url(re.compile("log="))
    visitor.call("the second call")
    expect(page.locator(ROWS)).to_have_count(2)
    expect(page.locator("#request-body")).to_contain_text("the first call")
    page.go_back()
    expect(page.locator("#detail article")).to_have_count(0)


def test_one_log_after_the_other_is_opened(visitor, page):
    second = visitor.call("the second call")
    expect(page.locator(ROWS)).to_have_count(2)
    page.locator(f"{ROWS} a").last.click()
    expect(page.locator("#request-body")).to_contain_text("the first call")
    page.locator(f"{ROWS} a").first.click()
    expect(page.locator("#request-body")).to_contain_text("the second call")
    expect(page.locator("#logs [aria-current]")).to_have_attribute("id", f"log-{second}")
    visitor.call("the third call")
    expect(page.locator(ROWS)).to_have_count(3)
    expect(page.locator("#logs [aria-current]")).to_have_attribute("id", f"log-{second}")
    page.get_by_role("link", name="Close").click()
    expect(page.locator("#detail article")).to_have_count(0)
    expect(page.locator(f"#log-{second}")).to_be_focused()


def test_pages_are_turned_and_stay_turned_when_logs_come(visitor, open_page):
    visitor.fill(60)
    page = open_page(visitor.gateway.base_url)
    page.get_by_role("link", name="Older").click()
    expect(page.locator(ROWS)).to_have_count(10)
    expect(page).to_have_url(re.compile("page=2"))
    visitor.call()
    expect(page.locator(ROWS)).to_have_count(11)
    page.get_by_label("Model").fill("gpt")
    expect(page.locator(".pager")).to_contain_text("Page 1 of 2")


def test_a_stream_is_shown_as_its_answer_with_its_events(visitor, open_page):
    log_id = visitor.call("Say hello.", stream=True)
    page = open_page(f"{visitor.gateway.base_url}/?log={log_id}")
    said = page.locator("#answer").inner_text()
    assert "Say hello." in said
    expect(page.locator(".events li").first).not_to_be_visible()
    page.get_by_text("Events", exact=True).click()
    expect(page.locator(".events li").first).to_contain_text("chat.completion.chunk")


def test_thumbs_and_score_arrive_in_the_log(visitor, page):
    log_id = page.locator(ROWS).get_attribute("data-log")
    page.locator(f"{ROWS} a").click()
    page.get_by_role("button", name="Thumb up").click()
    expect(page.get_by_role("button", name="Thumb up")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(ROWS).get_by_role("img", name="thumb up")).to_be_visible()
    assert visitor.log(log_id)["feedback"] == 1
    page.get_by_label("Score").fill("87.5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(ROWS)).to_contain_text("87.5")
    assert (visitor.log(log_id)["feedback"], visitor.log(log_id)["score"]) == (1, 87.5)
    page.get_by_role("button", name="Thumb up").click()
    expect(page.get_by_role("button", name="Thumb up")).to_have_attribute("aria-pressed", "false")
    assert "feedback" not in visitor.log(log_id)


@pytest.mark.parametrize(("name", "start"), [("curl", "curl http://127.0.0.1"), ("Python", "import os")])
def test_a_call_is_copied(visitor, open_page, name, start):
    log_id = visitor.call()
    page = open_page(f"{visitor.gateway.base_url}/?log={log_id}", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name=f"Copy as {name}").click()
    expect(page.locator("#news")).to_have_text("Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    assert text.startswith(start)
    assert "CLOUDFLARE_API_TOKEN" in text
    assert "sesame" not in text


def test_without_a_clipboard_the_text_is_selected(visitor, open_page):
    page = open_page(f"{visitor.gateway.base_url}/?log={visitor.call()}")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_label("The call for curl")).to_be_focused()
    assert page.evaluate("getSelection().toString()").startswith("curl ")


def test_the_keyboard_is_enough(visitor, page):
    log_id = page.locator(ROWS).get_attribute("data-log")
    press = page.keyboard.press
    press("Tab")
    expect(page.get_by_role("link", name="Skip to the logs")).to_be_focused()
    press("Enter")
    press("Tab")
    expect(page.locator(f"#log-{log_id}")).to_be_focused()
    press("Enter")
    expect(page.locator("#log-title")).to_be_focused()
    press("Tab")
    expect(page.get_by_role("link", name="Close")).to_be_focused()
    press("Tab")
    press("Tab")
    expect(page.get_by_role("button", name="Thumb down")).to_be_focused()
    press("Space")
    expect(page.get_by_role("button", name="Thumb down")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Thumb down")).to_be_focused()
    assert visitor.log(log_id)["feedback"] == -1
    press("Tab")
    page.keyboard.type("5")
    press("Enter")
    expect(page.locator(ROWS)).to_contain_text("5")
    press("Tab")
    press("Escape")
    expect(page.locator("#detail article")).to_have_count(0)
    expect(page.locator(f"#log-{log_id}")).to_be_focused()
    press("/")
    expect(page.get_by_label("Model")).to_be_focused()


def test_what_has_the_focus_keeps_it_and_shows_it_when_logs_come(visitor, page):
    log_id = page.locator(ROWS).get_attribute("data-log")
    page.locator(f"#log-{log_id}").focus()
    visitor.call()
    expect(page.locator(ROWS)).to_have_count(2)
    expect(page.locator(f"#log-{log_id}")).to_be_focused()


def test_the_focus_can_be_seen(page):
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_a_gateway_is_picked(visitor, page):
    visitor.call(gateway="other")
    page.reload()
    expect(page.locator("#picker summary")).to_contain_text("acme/other")
    page.locator("#picker summary").click()
    page.get_by_role("link", name="acme/default").click()
    expect(page.locator("#picker summary")).to_contain_text("acme/default")
    expect(page.locator(ROWS)).to_have_count(1)


def brightness(page: Page, what: str) -> float:
    colour = page.evaluate(f"getComputedStyle(document.body).{what}")
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return (299 * red + 587 * green + 114 * blue) / 1000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_systems_light_and_dark(visitor, open_page, scheme):
    page = open_page(visitor.gateway.base_url, color_scheme=scheme)
    ground, ink = brightness(page, "backgroundColor"), brightness(page, "color")
    assert (ground > 200 and ink < 60) if scheme == "light" else (ground < 60 and ink > 200)


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_nothing_is_wider_than_the_window(visitor, open_page, width):
    long = "x" * 300
    log_id = visitor.call(long, f"openai/{long}", headers={"cf-aig-metadata": json.dumps({long: long})})
    visitor.call()
    page = open_page(visitor.gateway.base_url, viewport={"width": width, "height": 800})
    for path in ("/", f"/?log={log_id}", "/?model=nothing", "/?gateway=no/ne"):
        page.goto(f"{visitor.gateway.base_url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate("document.getElementById('detail').scrollWidth") <= width, path


def test_on_a_phone_the_filters_are_folded_and_a_log_fills_the_screen(visitor, open_page):
    visitor.call()
    page = open_page(visitor.gateway.base_url, viewport={"width": 400, "height": 800})
    expect(page.get_by_label("Model")).not_to_be_visible()
    page.get_by_text("Filters", exact=True).click()
    expect(page.get_by_label("Model")).to_be_visible()
    page.locator(f"{ROWS} a").click()
    expect(page.locator("#log-title")).to_be_focused()
    assert page.locator("#detail").bounding_box() == {"x": 0, "y": 0, "width": 400, "height": 800}


def test_less_motion_is_none(visitor, open_page):
    visitor.call()
    page = open_page(visitor.gateway.base_url, reduced_motion="reduce")
    visitor.call()
    expect(page.locator("tr.new")).to_have_count(1)
    assert page.evaluate("getComputedStyle(document.querySelector('tr.new')).animationName") == "none"


def test_hostile_text_does_not_run(visitor, open_page):
    bad = visitor.HOSTILE
    labels = {"cf-aig-metadata": json.dumps({"<b>k</b>": bad}), "cf-aig-event-id": "<svg/onload=window.hacked=3>"}
    log_id = visitor.call(bad, f"openai/{bad.replace(' ', '')}", headers=labels, stream=True)
    page = open_page(visitor.gateway.base_url)
    visitor.call(bad)
    expect(page.locator(ROWS)).to_have_count(2)
    page.locator(f"#log-{log_id}").click()
    expect(page.locator("#request-body")).to_contain_text("window.hacked = 1")
    page.get_by_text("Events", exact=True).click()
    expect(page.locator(".labels")).to_contain_text("<b>k</b>")
    assert page.evaluate("window.hacked") is None
    assert page.locator("#logs img, #detail img, #detail script, #detail b b").count() == 0


def test_another_site_cannot_post(visitor, browser):
    log_id = visitor.call()
    context = browser.new_context()
    page = context.new_page()
    action = f"{visitor.gateway.base_url}/-/feedback?gateway=acme/default&log={log_id}"
    page.set_content(f'<form method="post" action="{action}"><button name="feedback" value="1">Go</button></form>')
    with page.expect_response(re.compile("/-/feedback")) as found:
        page.get_by_role("button").click()
    assert found.value.status == 403
    assert "feedback" not in visitor.log(log_id)
    context.close()


def test_a_token_opens_the_page_and_signing_out_closes_it(open_visitor, browser):
    visitor = open_visitor(tokens=["sesame"])
    visitor.call("a secret prompt")
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{visitor.gateway.base_url}/?model=gpt")
    page.get_by_label("One of the gateway's tokens").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("none of the gateway's tokens")
    page.get_by_label("One of the gateway's tokens").fill("sesame")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page).to_have_url(re.compile("model=gpt"))
    visitor.call("another")
    expect(page.locator(ROWS)).to_have_count(2)
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], "sesame" in cookie["value"]) == (True, "Strict", False)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("One of the gateway's tokens")).to_be_visible()
    context.close()
