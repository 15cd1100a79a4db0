"""Leaving a block that set a context variable, also in another context than the block was entered in.

So are blocks left that stand in a generator which a web server reads: it runs each step of a synchronous one in a copy
of the request's context, and in any thread. Such a copy ends with its step, so that there is nothing to be undone.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextvars import ContextVar, Token


def leave(variable: ContextVar[Any], token: Token[Any]) -> None:
    """Give a variable the value that it had before a block."""
    with suppress(ValueError):
        variable.reset(token)
