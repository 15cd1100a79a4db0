"""Who judges: what a judge is, how one is named and found, and how it is asked."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from aigw._errors import ConfigurationError
from aigw._given import shown
from aigw.scoring._judged_log import JudgedLog

if TYPE_CHECKING:
    from concurrent.futures import Executor

Verdict = bool | int | float | Mapping[str, Any] | None
"""What a judge says: nothing, a score, or a mapping of `feedback`, `score` and `metadata`."""

Judge = Callable[[JudgedLog], Verdict | Awaitable[Verdict]]
"""A function of one log, sync or async."""

_MAX_NAME: Final = 100


def load_judge(name: str) -> Judge:
    """Import a judge.

    Args:
        name: `module:function`, where the function may be an attribute of something (`module:Class.method`).

    Raises:
        ConfigurationError: There is no such module or function, or it cannot be called.
    """
    module, colon, attributes = name.partition(":")
    if not (module and colon and attributes):
        raise ConfigurationError(f"a judge cannot be {shown(name)}: it is module:function, such as judges:is_polite")
    found: Any = _import(module, name)
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            raise ConfigurationError(f"judge {shown(name)}: {getattr(found, '__name__', module)} has no {attribute!r}")
        found = getattr(found, attribute)
    if not callable(found):
        raise ConfigurationError(f"judge {shown(name)}: a {type(found).__name__} cannot be called")
    judge: Judge = found
    return judge


def judge_name(judge: Judge | str) -> str:
    """Name a judge as the logs do, in `metadata.source`: `module:function`."""
    if isinstance(judge, str):
        return judge
    kind: Any = judge if hasattr(judge, "__qualname__") else type(judge)
    return f"{kind.__module__}:{kind.__qualname__}"


def check_name(name: str) -> str:
    """Give a name back if a log can hold it.

    Raises:
        ConfigurationError: It is empty, too long, or of more than one line.
    """
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME or not name.isprintable():
        raise ConfigurationError(
            f"a judge's name cannot be {shown(name)}: it is 1 to {_MAX_NAME} characters of one line"
        )
    return name


def is_async(judge: Judge) -> bool:
    """Tell whether a judge is a coroutine function, or an object whose call is one."""
    return inspect.iscoroutinefunction(judge) or inspect.iscoroutinefunction(getattr(judge, "__call__", None))  # noqa: B004 -- not whether, but which


async def ask(judge: Judge, log: JudgedLog, threads: Executor) -> Verdict:
    """Ask a judge: an async one here, a sync one in a thread, with the context of this task."""
    if is_async(judge):
        answer: Any = judge(log)
    else:
        context = contextvars.copy_context()
        answer = await asyncio.get_running_loop().run_in_executor(threads, context.run, judge, log)
    verdict: Verdict = await answer if inspect.isawaitable(answer) else answer
    return verdict


def _import(module: str, name: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"judge {shown(name)}: there is no module {error.name!r}") from error
