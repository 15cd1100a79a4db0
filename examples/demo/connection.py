"""The gateway of one run: opened, named for the reader, and closed.

Three ways lead to the same `Connection`; from there on nothing knows which it was.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypedDict

from aigw.local import LocalGateway
from examples.demo.errors import DemoError
from examples.demo.upstream import build_upstream, find_offer, gateway_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from examples.demo.settings import Mode, Settings

OFFLINE_MODEL: Final = "local/quotes"
OFFLINE_EMBED_MODEL: Final = "local/lexical"
CLOUDFLARE_MODEL: Final = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
CLOUDFLARE_EMBED_MODEL: Final = "@cf/baai/bge-m3"

_OFFLINE_NOTE: Final = (
    "The offline model is no language model: it quotes the sentences of the documents that fit the question best."
)
_LEXICAL_NOTE: Final = "The upstream has no embedding model: the gateway's own offline embeddings find the passages."


class Account(TypedDict):
    """Keywords that `AIGateway` and the models of both frameworks take; `None` leaves it to the environment."""

    account_id: str
    api_token: str
    base_url: str | None


@dataclass(frozen=True, slots=True)
class Connection:
    """A gateway that can be asked.

    Attributes:
        account: Where it is and who asks.
        model: The chat model, as the gateway names it.
        embed_model: The embedding model, likewise.
        where: One line for the reader.
        notes: What the reader should know of the models.
        log_wait: Seconds to wait for a log to be complete; Cloudflare completes it after the answer.
    """

    account: Account
    model: str
    embed_model: str
    where: str
    notes: tuple[str, ...] = ()
    log_wait: float = 0


@contextmanager
def connect(settings: Settings) -> Iterator[Connection]:
    """Open the gateway that the settings ask for.

    Raises:
        DemoError: A model or the upstream that was asked for is not there.
    """
    with _OPENERS[settings.mode](settings) as connection:
        yield connection


@contextmanager
def _offline(settings: Settings) -> Iterator[Connection]:
    wanted = (settings.model or OFFLINE_MODEL, settings.embed_model or OFFLINE_EMBED_MODEL)
    for model, known in zip(wanted, (OFFLINE_MODEL, OFFLINE_EMBED_MODEL), strict=True):
        if model != known:
            raise DemoError(
                f"there is no model {model} offline, only {known}: set UPSTREAM or Cloudflare's credentials"
            )
    with LocalGateway(models=wanted) as gateway:
        where = f"local gateway in this program, offline ({gateway.base_url})"
        yield Connection(_local(gateway), *wanted, where, (_OFFLINE_NOTE,))


@contextmanager
def _upstream(settings: Settings) -> Iterator[Connection]:
    offer = find_offer(settings)
    embed_model = gateway_name(offer.embed_model) if offer.embed_model else OFFLINE_EMBED_MODEL
    with LocalGateway(upstream=build_upstream(settings, offer)) as gateway:
        where = f"local gateway in this program ({gateway.base_url}) in front of {settings.upstream}"
        notes = () if offer.embed_model else (_LEXICAL_NOTE,)
        yield Connection(_local(gateway), gateway_name(offer.model), embed_model, where, notes)


@contextmanager
def _cloudflare(settings: Settings) -> Iterator[Connection]:
    origin = os.environ.get("AIGW_BASE_URL", "")
    where = f"Cloudflare account {settings.account_id}" + (f" at {origin}" if origin else "")
    yield Connection(
        Account(account_id=settings.account_id, api_token=settings.api_token, base_url=None),
        settings.model or CLOUDFLARE_MODEL,
        settings.embed_model or CLOUDFLARE_EMBED_MODEL,
        where,
        log_wait=5,
    )


def _local(gateway: LocalGateway) -> Account:
    return Account(account_id="local", api_token="any", base_url=gateway.base_url)  # noqa: S106 - any token is good


_OPENERS: Final[dict[Mode, Callable[[Settings], AbstractContextManager[Connection]]]] = {
    "offline": _offline,
    "upstream": _upstream,
    "cloudflare": _cloudflare,
}
