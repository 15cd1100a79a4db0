"""The page over plain HTTP: who gets it, what its fragments say, and who is kept out."""

import io
import re
import subprocess
import sys
import threading
import time
from contextlib import redirect_stdout
from html import unescape

import httpx
import pytest

from aigw.local import LocalGateway
from aigw.local.page import _logs

FORM = {"content-type": "application/x-www-form-urlencoded"}


def shown(html, element_id):
    """Give the text of the `textarea` of that id."""
    return unescape(re.search(rf'<textarea id="{element_id}"[^>]*>\n?(.*?)</textarea>', html, re.DOTALL)[1])


def test_a_browser_gets_the_page_and_a_program_the_index(visitor):
    assert visitor.see().startswith("<!doctype html>")
    reply = visitor.client.get("/")
    assert reply.json()["name"] == "aigw local gateway"


def test_every_answer_keeps_the_browser_careful(visitor):
    for path in ("/", "/-/logs", "/-/static/page.css", "/-/nothing"):
        headers = visitor.client.get(path, headers=visitor.HTML).headers
        assert headers["content-security-policy"].startswith("default-src 'self';"), path
        assert headers["x-content-type-options"] == "nosniff"
    assert visitor.client.get("/", headers=visitor.HTML).headers["cache-control"] == "no-store"


def test_the_page_has_no_inline_script_or_style_and_asks_nobody_else(visitor):
    visitor.call()
    html = visitor.see(f"/?log={visitor.call()}")
    assert re.findall(r"<script(?![^>]*\bsrc=\"/-/static/)", html) == []
    assert "<style" not in html
    assert re.findall(r"\s(?:style|on\w+)=", html) == []
    assert set(re.findall(r'(?:src|href|action)="(//|https?:)', html)) == set()


def test_every_file_the_page_names_is_there(visitor):
    for path in set(re.findall(r'"(/-/static/[^"]+)"', visitor.see())):
        assert visitor.client.get(path).status_code == 200, path
    assert "Zero-Clause BSD" in visitor.client.get("/-/static/htmx.LICENSE.txt").text


def test_without_logs_it_shows_three_lines_that_make_the_first_call(visitor):
    code = shown(visitor.see(), "first")
    assert code.count("\n") == 2
    with redirect_stdout(io.StringIO()):
        exec(code)  # noqa: S102 -- what the page tells its readers to run
    assert "No call yet" not in visitor.see()


def test_logs_are_listed_newest_first_with_figures(open_visitor, data):
    visitor = open_visitor(data=data, settings={"cache_ttl": 300}, switches={"costs": "as-asked"})
    first, hit = visitor.call(), visitor.call()
    html = visitor.see("/-/logs")
    assert html.index(hit) < html.index(first)
    assert "<dd>50%</dd><dd>1 of 2</dd>" in html
    assert re.search(r"about \$0\.0000\d\d saved", html)


def test_a_log_shows_what_was_asked_and_answered(open_visitor, data):
    visitor = open_visitor(data=data)
    log_id = visitor.call("What is HTTP?", headers={"cf-aig-metadata": '{"team": "docs"}', "cf-aig-event-id": "e-1"})
    html = visitor.see(f"/-/log?gateway=acme/default&log={log_id}")
    assert "What is HTTP?" in html
    assert 'id="answer"' in html
    assert "team <b>docs</b>" in html
    assert "e-1" in html


def test_a_stream_is_put_together(visitor):
    log_id = visitor.call("Say hello.", stream=True)
    html = visitor.see(f"/-/log?gateway=acme/default&log={log_id}")
    said = visitor.client.get(f"{visitor.LOGS}/{log_id}/response", headers={"authorization": "Bearer t"}).text
    assert said.startswith("data: ")
    whole = visitor.call("Say hello.", headers={"cf-aig-skip-cache": "true"})
    answer = re.search(r'<div id="answer" class="answer">(.*?)</div>', html, re.DOTALL)[1]
    assert answer in visitor.see(f"/-/log?gateway=acme/default&log={whole}")
    assert "put together from" in html
    assert "<summary>Events</summary>" in html


@pytest.mark.parametrize("which", ["request", "response"])
def test_a_body_can_be_had_as_it_was(visitor, which):
    log_id = visitor.call()
    reply = visitor.client.get(f"/-/body/{which}?gateway=acme/default&log={log_id}")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["content-disposition"].startswith("attachment;")
    assert (
        reply.content
        == visitor.client.get(f"{visitor.LOGS}/{log_id}/{which}", headers={"authorization": "Bearer t"}).content
    )


@pytest.mark.parametrize("path", ["/-/body/request?gateway=a/b&log=none", "/-/body/other?gateway=a/b&log=none"])
def test_a_body_that_is_not_there_is_404(visitor, path):
    assert visitor.client.get(path).status_code == 404


def test_a_log_without_payload_says_so(visitor):
    log_id = visitor.call(headers={"cf-aig-collect-log-payload": "false"})
    assert visitor.see(f"/-/log?gateway=acme/default&log={log_id}").count("Not stored.") == 2


def test_a_log_that_is_gone_says_so(visitor):
    assert "This log is gone" in visitor.see("/?log=none")


def test_the_gateway_asked_last_is_shown_and_the_others_can_be_picked(visitor):
    visitor.call(gateway="first")
    visitor.call(gateway="second")
    html = visitor.see()
    assert "</span> acme/second</summary>" in html
    assert "/?gateway=acme%2Ffirst" in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("model=gpt-4.1", {"plain", "failed"}),
        ("model=CLAUDE", {"claude"}),
        ("provider=local", {"plain", "claude", "hit"}),
        ("status=failed", {"failed"}),
        ("cached=hit", {"hit"}),
        ("feedback=up", {"plain"}),
        ("event=e-1", {"claude"}),
        ("label=team", {"claude"}),
        ("label=team%3Ddocs", {"claude"}),
        ("label=team%3Dother", set()),
        ("id={plain}", {"plain"}),
    ],
)
def test_filters_leave_what_matches(visitor, query, found):
    ids = {
        "plain": visitor.call("one"),
        "claude": visitor.call(
            "two",
            "anthropic/claude-sonnet-4-5",
            headers={"cf-aig-metadata": '{"team": "docs"}', "cf-aig-event-id": "e-1"},
        ),
        "failed": visitor.call("three", headers={"aigw-local-fail": "503"}),
        "hit": visitor.call("two", "anthropic/claude-sonnet-4-5"),
    }
    if query in {"model=CLAUDE", "provider=local"}:
        found = found | {"hit"}
    visitor.client.patch(f"{visitor.LOGS}/{ids['plain']}", json={"feedback": 1}, headers={"authorization": "Bearer t"})
    html = visitor.see(f"/-/logs?gateway=acme/default&{query.format(**ids)}")
    listed = {name for name, log_id in ids.items() if f'data-log="{log_id}"' in html}
    assert listed - ({"failed"} if query == "provider=local" else set()) == found


def test_filters_that_nothing_matches_offer_to_clear_them(visitor):
    visitor.call()
    html = visitor.see("/-/logs?gateway=acme/default&model=nothing")
    assert "No log matches" in html
    assert 'href="/?gateway=acme%2Fdefault"' in html


def test_pages_follow_each_other(visitor):
    visitor.fill(120)
    first, last = visitor.see("/-/logs"), visitor.see("/-/logs?gateway=acme/default&page=3")
    assert "Page 1 of 3" in first
    assert first.count("data-log=") == 50
    assert 'rel="prev"' not in first
    assert last.count("data-log=") == 20
    assert 'rel="next"' not in last
    assert 'data-log="log-00000"' in last


def test_a_page_past_the_end_is_the_last_one(visitor):
    visitor.fill(60)
    assert "Page 2 of 2" in visitor.see("/-/logs?gateway=acme/default&page=900")


def test_figures_and_filters_without_an_index_look_at_a_bounded_number_of_logs(visitor, monkeypatch):
    monkeypatch.setattr(_logs, "SEARCHED", 100)
    monkeypatch.setattr(_logs, "COUNTED", 70)
    visitor.fill(300)
    assert "newest 70" not in visitor.see("/-/logs?gateway=acme/default&event=e")
    html = visitor.see("/-/logs?gateway=acme/default&model=gpt")
    assert "100 logs match" in html
    assert "<dd>0 of 70</dd>" in html


def test_thumbs_are_what_the_api_reads(visitor):
    log_id = visitor.call()
    url = f"/-/feedback?gateway=acme/default&log={log_id}"
    html = visitor.client.post(url, data={"feedback": "1"}, headers={"hx-request": "true"}).text
    assert visitor.log(log_id)["feedback"] == 1
    assert re.search(r'id="thumb-up"[^>]*aria-pressed="true"', html)
    visitor.client.post(url, data={"feedback": ""})
    assert "feedback" not in visitor.log(log_id)


def test_a_score_is_what_the_api_reads(visitor):
    log_id = visitor.call()
    url = f"/-/feedback?gateway=acme/default&log={log_id}"
    visitor.client.post(url, data={"score": "87.5"})
    assert visitor.log(log_id)["score"] == 87.5
    visitor.client.post(url, data={"score": ""})
    assert "score" not in visitor.log(log_id)


def test_without_javascript_feedback_leads_back_to_the_log(visitor):
    log_id = visitor.call()
    reply = visitor.client.post(f"/-/feedback?gateway=acme/default&log={log_id}", data={"feedback": "-1"})
    assert reply.status_code == 303
    assert f'value="{log_id}"' in visitor.see(reply.headers["location"])


@pytest.mark.parametrize("form", [{"feedback": "7"}, {"feedback": "x"}, {"score": "nan"}, {"score": "much"}])
def test_feedback_out_of_its_range_is_refused(visitor, form):
    log_id = visitor.call()
    assert visitor.client.post(f"/-/feedback?gateway=acme/default&log={log_id}", data=form).status_code == 400
    assert {"feedback", "score"}.isdisjoint(visitor.log(log_id))


def test_feedback_on_a_log_that_is_gone_is_404(visitor):
    assert visitor.client.post("/-/feedback?gateway=a/b&log=none", data={"feedback": "1"}).status_code == 404


def test_a_form_that_is_too_large_changes_nothing(visitor):
    log_id = visitor.call()
    reply = visitor.client.post(
        f"/-/feedback?gateway=acme/default&log={log_id}", content=b"feedback=1&x=" + b"x" * 20_000, headers=FORM
    )
    assert reply.status_code == 303
    assert "feedback" not in visitor.log(log_id)


CALLS = {
    "chat": (
        "/client/v4/accounts/acme/ai/v1/chat/completions",
        {"model": "openai/gpt-4.1-mini", "messages": [{"role": "user", "content": 'It\'s "me"'}]},
    ),
    "a stream": (
        "/client/v4/accounts/acme/ai/v1/chat/completions",
        {"model": "openai/m", "stream": True, "messages": [{"role": "user", "content": "Hi"}]},
    ),
    "messages": (
        "/client/v4/accounts/acme/ai/v1/messages",
        {"model": "anthropic/c", "max_tokens": 20, "messages": [{"role": "user", "content": "Hi"}]},
    ),
    "responses": ("/client/v4/accounts/acme/ai/v1/responses", {"model": "openai/m", "input": "Hi"}),
    "embeddings": ("/client/v4/accounts/acme/ai/v1/embeddings", {"model": "openai/e", "input": ["Hi"]}),
    "run": (
        "/client/v4/accounts/acme/ai/run",
        {"model": "openai/m", "input": {"messages": [{"role": "user", "content": "Hi"}]}},
    ),
    "run a model": (
        "/client/v4/accounts/acme/ai/run/@cf/meta/llama-3.1-8b-instruct",
        {"messages": [{"role": "user", "content": "Hi"}]},
    ),
    "compat": (
        "/v1/acme/default/compat/chat/completions",
        {"model": "openai/m", "messages": [{"role": "user", "content": "Hi"}]},
    ),
    "native": (
        "/v1/acme/default/anthropic/v1/messages",
        {"model": "c", "max_tokens": 20, "messages": [{"role": "user", "content": "Hi"}]},
    ),
    "a native stream": (
        "/v1/acme/default/openai/chat/completions",
        {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hi"}]},
    ),
    "workers-ai": (
        "/v1/acme/default/workers-ai/@cf/meta/llama-3.1-8b-instruct",
        {"messages": [{"role": "user", "content": "Hi"}]},
    ),
}


@pytest.fixture
def copied(visitor, monkeypatch):
    """Make one call and give the page's copies of it."""
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "sesame-secret")

    def copied(path, body):
        headers = {
            "authorization": "Bearer sesame-secret",
            "cf-aig-authorization": "Bearer sesame-secret",
            "cf-aig-metadata": '{"team": "docs"}',
        }
        reply = visitor.client.post(path, json=body, headers=headers)
        assert reply.status_code == 200, reply.text
        html = visitor.see(f"/-/log?gateway=acme/default&log={reply.headers['cf-aig-log-id']}")
        assert "sesame" not in html
        return shown(html, "as-python"), shown(html, "as-curl")

    return copied


def last_two(visitor):
    rows = visitor.client.get(visitor.LOGS, headers={"authorization": "Bearer t"}).json()["result"]
    assert len(rows) == 2
    return [(row["model"], row["metadata"], row["success"]) for row in rows]


@pytest.mark.parametrize(("path", "body"), CALLS.values(), ids=CALLS)
def test_the_python_copy_makes_the_same_call_again(visitor, copied, path, body):
    python, _ = copied(path, body)
    with redirect_stdout(io.StringIO()):
        exec(python, {})  # noqa: S102 -- that it runs is what is tested
    again, before = last_two(visitor)
    assert again == before


@pytest.mark.parametrize(("path", "body"), CALLS.values(), ids=CALLS)
def test_the_curl_copy_makes_the_same_call_again(visitor, copied, require, path, body):
    require.program("curl", how="apt-get install curl")
    _, curl = copied(path, body)
    done = subprocess.run(["sh", "-c", curl], capture_output=True, check=True, timeout=20)  # noqa: S603, S607
    assert done.stdout
    again, before = last_two(visitor)
    assert again == before


def test_hostile_text_is_shown_and_not_run(visitor):
    bad = visitor.HOSTILE
    log_id = visitor.call(
        bad,
        f"openai/{bad.replace(' ', '')}",
        account=bad.replace("/", ""),
        headers={"cf-aig-event-id": "<b>event</b>", "user-agent": "<i>agent</i>"},
    )
    html = visitor.see()
    gateway = unescape(re.search(r'name="gateway" value="([^"]*)"', html)[1])
    opened = visitor.client.get(
        "/", params={"gateway": gateway, "log": log_id, "model": "<script>"}, headers=visitor.HTML
    ).text
    for text in (html, opened):
        assert "window.hacked" in text
        assert "<script>window" not in text
        assert "<img src=x" not in text
        assert "<b>event" not in text
        assert "<i>agent" not in text


def test_a_hostile_filter_is_shown_and_not_run(visitor):
    visitor.call()
    html = visitor.see("/?gateway=%3Cscript%3E&model=%22%3E%3Cscript%3E")
    assert "<script>" not in html.replace('<script src="', "")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://127.0.0.1:1"},
    ],
)
def test_a_post_from_another_origin_is_refused(visitor, headers):
    log_id = visitor.call()
    reply = visitor.client.post(
        f"/-/feedback?gateway=acme/default&log={log_id}", data={"feedback": "1"}, headers=headers
    )
    assert reply.status_code == 403
    assert "feedback" not in visitor.log(log_id)


def test_a_post_from_the_page_itself_is_taken(visitor):
    log_id = visitor.call()
    headers = {"origin": visitor.gateway.base_url, "sec-fetch-site": "same-origin"}
    visitor.client.post(f"/-/feedback?gateway=acme/default&log={log_id}", data={"feedback": "1"}, headers=headers)
    assert visitor.log(log_id)["feedback"] == 1


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8787", "[", ""])
@pytest.mark.parametrize("path", ["/", "/-/logs", "/-/live"])
def test_another_hosts_name_gets_nothing(visitor, host, path):
    visitor.call("a secret prompt")
    reply = visitor.client.get(path, headers={**visitor.HTML, "host": host})
    assert reply.status_code in {400, 403}
    assert "acme" not in reply.text


@pytest.mark.parametrize("host", ["localhost", "localhost:1234", "[::1]:8787", "LOCALHOST"])
def test_this_machines_other_names_are_fine(visitor, host):
    assert visitor.client.get("/", headers={**visitor.HTML, "host": host}).status_code == 200


@pytest.fixture
def guarded(open_visitor):
    visitor = open_visitor(tokens=["sesame", "other-token"])
    visitor.call("a secret prompt")
    return visitor


@pytest.mark.parametrize("path", ["/", "/-/logs", "/-/log?log=x", "/-/live", "/-/body/request?log=x"])
def test_with_tokens_nothing_is_shown_to_strangers(guarded, path):
    html = guarded.see(path, status=401)
    assert "secret prompt" not in html
    assert "acme" not in html
    assert 'type="password"' in html


def test_strangers_change_nothing(guarded):
    log_id = guarded.call()
    assert (
        guarded.client.post(f"/-/feedback?gateway=acme/default&log={log_id}", data={"feedback": "1"}).status_code == 401
    )
    assert "feedback" not in guarded.log(log_id)


def test_a_token_signs_in_and_the_cookie_is_not_the_token(guarded):
    reply = guarded.client.post("/-/sign-in", data={"token": "sesame", "next": "/?model=gpt"})
    assert (reply.status_code, reply.headers["location"]) == (303, "/?model=gpt")
    cookie = reply.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "sesame" not in cookie
    assert "Local gateway" in guarded.see()
    assert "acme/default" in guarded.see()


def test_a_wrong_token_does_not_sign_in(guarded):
    reply = guarded.client.post("/-/sign-in", data={"token": "sesam"})
    assert reply.status_code == 401
    assert "set-cookie" not in reply.headers
    assert "none of the gateway" in reply.text
    assert "sesam<" not in reply.text


@pytest.mark.parametrize(
    "then", ["https://evil.example", "//evil.example", "/\\evil.example", "/-/live", "javascript:alert(1)"]
)
def test_signing_in_leads_to_the_page_and_nowhere_else(guarded, then):
    assert guarded.client.post("/-/sign-in", data={"token": "sesame", "next": then}).headers["location"] == "/"


def test_other_programs_cookies_do_no_harm(guarded):
    guarded.client.post("/-/sign-in", data={"token": "sesame"})
    ((name, value),) = guarded.client.cookies.items()
    guarded.client.cookies.clear()
    guarded.see(cookie=f'{{"a": [1]}}; x y=z; =; {name}={value}; b="c')


def test_signing_out_ends_the_session(guarded):
    guarded.client.post("/-/sign-in", data={"token": "sesame"})
    guarded.client.post("/-/sign-out")
    guarded.see(status=401)


@pytest.mark.parametrize(
    "forge",
    [
        lambda value: "9" + value,
        lambda value: value[:-1] + ("0" if value[-1] != "0" else "1"),
        lambda _: "",
        lambda _: "x.y",
    ],
)
def test_a_forged_cookie_opens_nothing(guarded, forge):
    guarded.client.post("/-/sign-in", data={"token": "sesame"})
    ((name, value),) = guarded.client.cookies.items()
    guarded.client.cookies.clear()
    guarded.see(status=401, cookie=f"{name}={forge(value)}")


def test_two_gateways_do_not_share_their_cookies(guarded, open_visitor):
    other = open_visitor(tokens=["sesame"])
    guarded.client.post("/-/sign-in", data={"token": "sesame"})
    ((name, value),) = guarded.client.cookies.items()
    other.see(status=401, cookie=f"{name}={value}")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "", "example.com"])
def test_an_address_that_others_reach_needs_a_token(host):
    with pytest.raises(ValueError, match="is reached from other machines"):
        LocalGateway(host=host)
    LocalGateway(host=host, tokens=["sesame"])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machines_own_addresses_need_none(host):
    LocalGateway(host=host)


@pytest.mark.parametrize("command", [["-m", "aigw.local"], ["-m", "aigw.cli", "local"]])
def test_the_command_line_says_the_same(command):
    words = [sys.executable, *command, "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert done.returncode
    assert "host '0.0.0.0' is reached from other machines" in done.stderr


def events(pieces, wanted, seconds=5):
    """Read an event stream until it has said `wanted`."""
    text, until = "", time.monotonic() + seconds
    for piece in pieces:
        text += piece
        if wanted in text or time.monotonic() > until:
            return text
    return text


def live(visitor):
    """Give the address of the event stream of a page that was just loaded."""
    return re.search(r'sse-connect="(/-/live\?seen=\d+)"', visitor.see())[1]


def test_the_stream_says_that_logs_have_changed(visitor):
    with visitor.client.stream("GET", live(visitor)) as reply:
        pieces = reply.iter_text()
        assert "changed" not in events(pieces, "still here")
        visitor.call()
        assert "event: logs\ndata: changed" in events(pieces, "changed")


def test_a_page_from_before_the_last_call_is_told_at_once(visitor):
    seen = live(visitor)
    visitor.call()
    with visitor.client.stream("GET", seen) as reply:
        assert "changed" in events(reply.iter_text(), "changed")


def watchers(visitor):
    """Count the tasks of the server that send events."""
    done = threading.Event()
    found = []
    loop = visitor.gateway._server._running._loop

    def count():
        import asyncio  # noqa: PLC0415 -- inside the server's loop

        found.extend(task for task in asyncio.all_tasks() if "_live._leave" in repr(task))
        done.set()

    loop.call_soon_threadsafe(count)
    assert done.wait(5)
    return len(found)


def soon(condition, seconds=5):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until


def test_a_browser_that_leaves_leaves_nothing_behind(visitor):
    with visitor.client.stream("GET", "/-/live"):
        soon(lambda: watchers(visitor) == 1)
    soon(lambda: watchers(visitor) == 0)


def test_an_open_stream_does_not_hold_up_the_end():
    gateway = LocalGateway()
    with gateway, httpx.Client(base_url=gateway.base_url) as client, client.stream("GET", "/-/live") as reply:
        events(reply.iter_text(), "still here")
        began = time.perf_counter()
        gateway.__exit__(None, None, None)
        assert time.perf_counter() - began < 1


def test_the_page_is_not_loaded_before_somebody_looks():
    code = (
        "import sys, httpx\nfrom aigw.local import LocalGateway\n"
        "with LocalGateway() as gateway:\n"
        "    httpx.get(gateway.base_url)\n    assert 'jinja2' not in sys.modules\n"
        "    httpx.get(gateway.base_url, headers={'accept': 'text/html'})\n    assert 'jinja2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)  # noqa: S603


def test_pages_paths_are_nobody_elses(visitor):
    assert visitor.client.get("/-/nothing").status_code == 404
    assert visitor.client.post("/", headers=visitor.HTML).status_code == 404
    assert visitor.client.post("/-/logs").status_code == 405
