"""The program: which gateway, which port, and where to look."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from contextlib import ExitStack

import uvicorn

from aigw import AsyncAIGateway
from aigw.feedback import FeedbackTokens
from aigw.local import LocalGateway
from examples.feedback_page.server import build_app

LOCAL_MODEL = "openai/gpt-4.1-mini"
CLOUDFLARE_MODEL = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"


def main() -> None:
    """Serve the page until Ctrl-C."""
    listener = socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "8000"))))
    tokens = FeedbackTokens(os.environ.get("FEEDBACK_SECRET") or secrets.token_urlsafe(32))
    with ExitStack() as stack:
        if "CLOUDFLARE_API_TOKEN" in os.environ:
            client, model = AsyncAIGateway(), CLOUDFLARE_MODEL
        else:
            local = stack.enter_context(LocalGateway())
            client, model = AsyncAIGateway("local", "any", base_url=local.base_url), LOCAL_MODEL
            print(f"The logs, with their feedback: {local.base_url}")
        print(f"The chat: http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        app = build_app(client, tokens, os.environ.get("MODEL", model))
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"the page cannot be served: {error}; set PORT to another port")
