"""What an answer costs: the caller's own rates, else a table of list prices (`_prices.json`, which names its source).

A table price is an estimate: prices change, and so do the discounts for cached tokens. A model that is not in the table
has no price rather than a guessed one.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aigw._json import parse_json
from aigw.local._spending._usage import custom_cost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.local._routing._model_names import ModelName
    from aigw.local._spending._usage import Usage

_RATES: Final = {
    "in": "per_token_in",
    "out": "per_token_out",
    "cache_read": "per_cache_read_token",
    "cache_write": "per_cache_write_token",
}
_DATE: Final = re.compile(r"-(?:20\d{6}|20\d\d-\d\d-\d\d)$")


def price(model: ModelName, usage: Usage) -> float | None:
    """Price an answer by the table, in dollars; `None` for an unknown model or unknown tokens.

    Args:
        model: The model that answered.
        usage: The tokens it took.
    """
    rates = _table().get(_key(model))
    return None if rates is None else custom_cost(rates, usage)


@cache
def chat_models() -> tuple[str, ...]:
    """Give the priced models that answer in text, as `provider/model`."""
    models = _data()["models"].items()
    return tuple(name for name, rates in models if rates.get("out") and not name.startswith("workers-ai"))


def _key(model: ModelName) -> str:
    """Write provider and model alike, whichever way the model was asked: dots as hyphens, without a date."""
    bare = model.logged
    if not bare.startswith("@"):
        bare = bare.partition("/")[2] or bare
    return _plain(f"{model.provider}/{bare}")


def _plain(name: str) -> str:
    return _DATE.sub("", name.lower()).replace(".", "-")


@cache
def _data() -> Mapping[str, Any]:
    data: Mapping[str, Any] = parse_json(Path(__file__).with_suffix(".json").read_bytes())
    return data


@cache
def _table() -> Mapping[str, Mapping[str, float]]:
    return {
        _plain(name): {_RATES[key]: rate for key, rate in rates.items()} for name, rates in _data()["models"].items()
    }
