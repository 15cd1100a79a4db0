"""What the environment asks for: read once, into one frozen value, and nowhere else.

| Variable | Meaning |
|---|---|
| `DOCS` | files and folders to answer from; this project's own documentation when empty |
| `QUESTION` | what to ask |
| `UPSTREAM` | the base URL of a server with an OpenAI API, to stand behind the local gateway |
| `UPSTREAM_API_KEY` | its key, if it wants one |
| `MODEL`, `EMBED_MODEL` | which models; each kind of gateway has its own default |
| `CLOUDFLARE_ACCOUNT_ID`, `CLOUDFLARE_API_TOKEN` | both: ask Cloudflare itself |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from examples.demo.errors import DemoError

if TYPE_CHECKING:
    from collections.abc import Mapping

Mode = Literal["offline", "upstream", "cloudflare"]
"""Who answers: the local gateway alone, a server behind it, or Cloudflare."""

QUESTION: Final = "What is a log id and how do I send feedback to it?"


@dataclass(frozen=True, slots=True)
class Settings:
    """One run's settings; a text that was not given is empty.

    Attributes:
        mode: Who answers.
        docs: The files and folders, as they were written.
        question: What to ask.
        model: The chat model.
        embed_model: The embedding model.
        upstream: The base URL of the server behind the local gateway.
        upstream_key: That server's key.
        account_id: The Cloudflare account.
        api_token: The Cloudflare token.
    """

    mode: Mode
    docs: str
    question: str
    model: str
    embed_model: str
    upstream: str
    upstream_key: str
    account_id: str
    api_token: str


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the environment.

    Raises:
        DemoError: Half of Cloudflare's credentials, or an upstream that is no URL.
    """

    def text(name: str) -> str:
        return environment.get(name, "").strip()

    settings = Settings(
        mode=_mode(bool(text("UPSTREAM")), bool(text("CLOUDFLARE_ACCOUNT_ID") or text("CLOUDFLARE_API_TOKEN"))),
        docs=text("DOCS"),
        question=text("QUESTION") or QUESTION,
        model=text("MODEL"),
        embed_model=text("EMBED_MODEL"),
        upstream=text("UPSTREAM").rstrip("/"),
        upstream_key=text("UPSTREAM_API_KEY"),
        account_id=text("CLOUDFLARE_ACCOUNT_ID"),
        api_token=text("CLOUDFLARE_API_TOKEN"),
    )
    _check(settings)
    return settings


def _mode(has_upstream: bool, has_credentials: bool) -> Mode:  # noqa: FBT001 - two facts, told apart by name
    """An upstream is named for this one run, credentials are often there for all: the upstream wins."""
    if has_upstream:
        return "upstream"
    return "cloudflare" if has_credentials else "offline"


def _check(settings: Settings) -> None:
    if settings.mode == "upstream" and not settings.upstream.startswith(("http://", "https://")):
        raise DemoError(f"UPSTREAM is a URL such as http://localhost:11434/v1, not {settings.upstream!r}")
    if settings.mode == "cloudflare":
        pairs = (("CLOUDFLARE_ACCOUNT_ID", settings.account_id), ("CLOUDFLARE_API_TOKEN", settings.api_token))
        for name, value in pairs:
            if not value:
                raise DemoError(
                    f"{name} is not set, but the other of Cloudflare's two credentials is: set both or none"
                )
