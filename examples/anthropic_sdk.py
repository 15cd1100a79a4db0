"""The official Anthropic SDK through the gateway, and feedback for its answer.

    python -m examples.anthropic_sdk

With CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN set it asks Cloudflare, else a gateway inside this program. The
SDK knows nothing of log ids: they stand in the headers of its raw response.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from anthropic import Anthropic, Omit

from aigw import AIGateway
from aigw.local import LocalGateway

if TYPE_CHECKING:
    from anthropic.types import MessageParam as Message

    from aigw import Gateway

MODEL = "claude-haiku-4-5"
MESSAGES: list[Message] = [{"role": "user", "content": "A log is found by its log id. What is a log found by?"}]


def main() -> None:
    """Ask for an answer and rate it, then for a streamed one."""
    token = os.environ.get("CLOUDFLARE_API_TOKEN")
    with ExitStack() as stack:
        local = None if token else stack.enter_context(LocalGateway())
        aigw = stack.enter_context(AIGateway("local", "any", base_url=local.base_url) if local else AIGateway())
        sdk = stack.enter_context(connect(aigw.gateway().get_url("anthropic"), token or "any"))
        rate(aigw.gateway(), ask(sdk))
        ask_streamed(sdk)


def connect(url: str, token: str) -> Anthropic:
    """Point the SDK at the gateway, whose token has a header of its own."""
    key = os.environ.get("ANTHROPIC_API_KEY", "stored at the gateway")
    return Anthropic(base_url=url, api_key=key, default_headers={"cf-aig-authorization": f"Bearer {token}"})


def own_key() -> dict[str, Omit]:
    """Leave the key out unless you have one of your own: any value would replace the gateway's stored key."""
    return {} if "ANTHROPIC_API_KEY" in os.environ else {"X-Api-Key": Omit(), "Authorization": Omit()}


def ask(sdk: Anthropic) -> str:
    """Ask for a whole answer; give its log id."""
    raw = sdk.messages.with_raw_response.create(model=MODEL, max_tokens=200, messages=MESSAGES, extra_headers=own_key())
    log_id = raw.headers["cf-aig-log-id"]
    print(f"answer, log id {log_id}:", *(block.text for block in raw.parse().content if block.type == "text"))
    return log_id


def rate(gateway: Gateway, log_id: str) -> None:
    """Send feedback to the log of an answer, and read it back."""
    gateway.patch_log(log_id, feedback=1, score=100)
    log = gateway.get_log(log_id, wait=5)
    print(f"rated, log id {log.id}: {log.provider}, {log.model}, feedback {log.feedback}, score {log.score}")


def ask_streamed(sdk: Anthropic) -> None:
    """Ask for a stream; its log id is there before its first word."""
    raw = sdk.messages.with_raw_response.create(
        model=MODEL, max_tokens=200, messages=MESSAGES, extra_headers=own_key(), stream=True
    )
    print(f"stream, log id {raw.headers['cf-aig-log-id']}: ", end="")
    for event in raw.parse():
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            print(event.delta.text, end="", flush=True)
    print()


if __name__ == "__main__":
    main()
