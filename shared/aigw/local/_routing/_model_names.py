"""Model ids: three ways to write one, and what each means.

The REST host wants `author/model` or `@cf/author/model`, compat wants `provider/model`, and a provider's own path wants
what the provider calls it. Source: AI Gateway docs, REST API and Unified API; the codes were seen of the real gateway.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from aigw._providers import SLUG_OF_AUTHOR
from aigw.local._refusal import DialectRefusalError, RefusalError
from aigw.local._routes import Grammar, is_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_WORKERS_AI: Final = "workers-ai"
_REST_MODEL: Final = re.compile(r"(?P<author>[^@/\s][^/\s]*)/\S+|@(?:cf|hf)/[^/\s]+/\S+")


@dataclass(frozen=True, slots=True)
class ModelName:
    """One model, as it was asked for.

    Attributes:
        asked: What the caller wrote.
        provider: The slug of the provider it belongs to.
        logged: The name in the log: `provider/model`, or `@cf/author/model` for Workers AI.
    """

    asked: str
    provider: str
    logged: str

    def for_upstream(self, upstream: str) -> str:
        """Give the name an upstream called `upstream` knows: without `workers-ai/`, and without its own prefix."""
        author, slash, bare = self.asked.partition("/")
        if slash and SLUG_OF_AUTHOR.get(author) == upstream:
            return bare
        return self.asked.removeprefix(f"{_WORKERS_AI}/").removeprefix(f"{upstream}/")

    def matches(self, patterns: Collection[str]) -> bool:
        """Tell whether any shell pattern fits the name as asked or as logged; `*` crosses `/` here."""
        names = {self.asked, self.logged}
        return not patterns or any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def read_model(grammar: Grammar, provider: str, asked: object) -> ModelName:
    """Read a model id.

    Args:
        grammar: How it is written.
        provider: The slug in the path, for the `native` grammar.
        asked: What the caller wrote, of any type.

    Raises:
        RefusalError: 404/7003 on REST, 400/2019 or 400/2008 on compat, 400/2019 for no model on a native path.
    """
    return _READERS[grammar](provider, asked if isinstance(asked, str) else "")


def _read_rest(_provider: str, asked: str) -> ModelName:
    match = _REST_MODEL.fullmatch(asked)
    if match is None:
        raise model_not_found(asked)
    author = match["author"]
    return ModelName(asked, SLUG_OF_AUTHOR.get(author, author) if author else _WORKERS_AI, asked)


def _read_compat(_provider: str, asked: str) -> ModelName:
    slug, slash, model = asked.partition("/")
    if not (slash and model):
        raise RefusalError(400, 2019, "Chat completion bad format")
    if asked != "cloudflare/auto" and slug != "dynamic" and not is_provider(slug):
        raise RefusalError(400, 2008, "Invalid provider")
    return ModelName(asked, slug, model if slug == _WORKERS_AI else asked)


def _read_native(provider: str, asked: str) -> ModelName:
    if not asked:
        raise RefusalError(400, 2019, "Chat completion bad format")
    logged = asked.removeprefix(f"{_WORKERS_AI}/") if provider == _WORKERS_AI else f"{provider}/{asked}"
    return ModelName(asked, provider, logged)


def read_native_model(provider: str, asked: str) -> ModelName:
    """Read the model of a call that goes to its provider as it came, and may name none."""
    return _read_native(provider, asked) if asked else ModelName("", provider, "")


def named_by_answer(provider: str, answering: str) -> ModelName:
    """Name the model that answered a call which had named none."""
    return replace(_read_native(provider, answering), asked="")


def guess_model(provider: str, asked: str) -> ModelName:
    """Name the provider and model of a call that is refused, as far as it says them in any grammar."""
    slug, slash, _ = asked.partition("/")
    if provider:
        return read_native_model(provider, asked)
    if asked.startswith("@"):
        return ModelName(asked, _WORKERS_AI, asked)
    return ModelName(asked, SLUG_OF_AUTHOR.get(slug, slug) if slash else "", asked)


_READERS: Final[Mapping[Grammar, Callable[[str, str], ModelName]]] = {
    "rest": _read_rest,
    "compat": _read_compat,
    "native": _read_native,
}


def model_not_found(asked: str) -> RefusalError:
    """Say that a model does not exist, in the words of the real gateway."""
    return RefusalError(404, 7003, f"Model not found: {asked}")


def unknown_model(model: ModelName) -> RefusalError:
    """Say that a model does not exist: of its own, Workers AI says so. Source: Workers AI docs, Errors."""
    if model.provider != _WORKERS_AI:
        return model_not_found(model.asked)
    errors = [{"code": 5007, "message": f"No such model {model.logged} or task"}]
    return DialectRefusalError(400, {"result": None, "success": False, "errors": errors, "messages": []})
