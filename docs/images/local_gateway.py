"""Make `local-gateway.png` anew: the real page, in Chromium, after some minutes of a made-up product's traffic.

`python docs/images/local_gateway.py`, with the group `test` installed and Chromium on the path.
"""
# ruff: noqa: INP001 -- a script beside the picture it makes

import json
import os
import random
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx
from playwright.sync_api import sync_playwright

from aigw.local import LocalGateway, Reply, json_reply

PICTURE = Path(__file__).with_name("local-gateway.png")
QUESTIONS = {
    "How do I change the owner of a project?": (
        "Open Project settings > Members, choose Transfer ownership, and pick a member with the role Admin. "
        "The new owner confirms by email; until then nothing changes, and you can take it back."
    ),
    "Which plan fits a team of five?": "The Team plan: it has up to ten seats, shared projects and the audit log.",
    "Summarise ticket 4711 in one sentence.": "An import stops at row 1,024 because the file has a blank header.",
    "Why was my invoice higher this month?": "Two seats were added on the 9th, so they were billed for 22 days.",
    "Translate to German: your export is ready.": "Ihr Export ist fertig.",
    "Is there an API for exports?": "Yes: POST /exports starts one, GET /exports/{id} says when it is ready.",
}
MODELS = (("openai", "gpt-4.1-mini"), ("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-5"))
CALLS = 140


class Provider:
    """A provider that knows the answers, and takes its time."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self._chance = random.Random(provider)  # noqa: S311 -- a picture

    async def send(self, endpoint: str, body: dict[str, Any], headers: tuple[tuple[str, str], ...]) -> Reply:  # noqa: ARG002
        """Answer a question in OpenAI's shape."""
        text = QUESTIONS[body["messages"][-1]["content"].partition(" (")[0]]
        tokens = self._chance.randint(180, 900), len(text) // 4 + self._chance.randint(20, 160)
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
        await anyio.sleep(self._chance.lognormvariate(-1.6, 0.5))
        if body.get("stream"):
            return Reply(200, (("content-type", "text/event-stream"),), stream(text, usage))
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return json_reply(200, {"id": "c-1", "object": "chat.completion", "choices": [choice], "usage": usage})


async def stream(text: str, usage: dict[str, int]) -> AsyncIterator[bytes]:
    """Give an answer word by word."""
    base = {"id": "c-1", "object": "chat.completion.chunk"}
    for word in text.split(" "):
        choice = {"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}
        yield f"data: {json.dumps({**base, 'choices': [choice]})}\n\n".encode()
    yield f"data: {json.dumps({**base, 'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n".encode()


def call(client: httpx.Client, number: int) -> str:
    """Make one call of the product and give its log id."""
    chance = random.Random(number)  # noqa: S311 -- a picture
    provider, model = chance.choices(MODELS, (5, 3, 3))[0]
    question = chance.choices(list(QUESTIONS), (6, 5, 3, 3, 2, 2))[0]
    if chance.random() < 0.5:
        question += f" (user {number})"
    labels = {"feature": chance.choice(["support", "search"]), "user": number % 7}
    headers = {"cf-aig-metadata": json.dumps(labels), "authorization": "Bearer any-token"}
    if number in {31, 77}:
        headers["aigw-local-fail"] = "503"
    body = {"model": f"{provider}/{model}", "messages": [{"role": "user", "content": question}]}
    if number % 6 == 4:
        body["stream"] = True
    reply = client.post("/client/v4/accounts/acme/ai/v1/chat/completions", json=body, headers=headers)
    return reply.headers["cf-aig-log-id"]


def photograph(url: str, log_id: str) -> None:
    """Open the page at one log and take its picture."""
    with sync_playwright() as playwright:
        sandbox = os.geteuid() != 0
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), chromium_sandbox=sandbox)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{url}/?log={log_id}")
        page.wait_for_selector("#answer")
        page.screenshot(path=PICTURE)
        browser.close()


def main() -> None:
    """Run the traffic and take the picture."""
    upstreams = {name: Provider(name) for name in ("openai", "anthropic")}
    with LocalGateway(upstreams=upstreams, settings={"cache_ttl": 3600}) as gateway:
        client = httpx.Client(base_url=gateway.base_url)
        with client, ThreadPoolExecutor(4) as pool:
            log_ids = list(pool.map(lambda number: call(client, number), range(CALLS)))
            logs = "/client/v4/accounts/acme/ai-gateway/gateways/default/logs"
            for log_id, feedback in ((log_ids[-4], 1), (log_ids[-5], 1), (log_ids[-9], -1)):
                client.patch(
                    f"{logs}/{log_id}", json={"feedback": feedback}, headers={"authorization": "Bearer any-token"}
                )
        photograph(gateway.base_url, log_ids[-4])


if __name__ == "__main__":
    main()
