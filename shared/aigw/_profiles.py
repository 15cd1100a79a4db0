"""What is known of a chat model by its gateway id: context window, tools, modalities, structured output, reasoning.

Here and not in an adapter, because every framework wants to know it and none of it is a framework's. The facts are
in `_profiles.json`, one row a model, read when first asked for; this module knows the several spellings of one model.

Source: models.dev (MIT license), gathered in November 2026: OpenAI, Anthropic and Google as of October, DeepSeek and
OpenRouter as of September, through the extracts that LangChain's partner packages ship; the others, Workers AI among
them, as of August. Models withdrawn before that keep what was last said of them. `.ci/update_profiles.py` writes the
file, and the file names the packages it was made of. A model without data is absent, and so are a few facts that were
found to be contradicted: no number here is a guess.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from functools import cache
from importlib.resources import files
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from aigw._errors import ConfigurationError
from aigw._given import shown
from aigw._providers import SLUG_OF_AUTHOR

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIXES: Final = (
    *((f"{slug}/", f"{author}/") for author, slug in SLUG_OF_AUTHOR.items()),
    ("google-vertex-ai/google/", "google/"),
    ("google-vertex-ai/anthropic/", "anthropic/"),
    ("minimax/minimax-", "minimax/"),
    ("workers-ai/@", "@"),
    *((f"aws-bedrock/{region}.", "aws-bedrock/") for region in ("apac", "au", "eu", "global", "jp", "us", "us-gov")),
)
"""What stands in front of an id in one grammar, and in the data."""

_SEPARATORS: Final = re.compile(r"(?<=[^/])[.@]")
"""Versions are dotted on REST and dashed at most providers; Vertex sets dates off with `@`."""

_RELEASES: Final = (
    re.compile(r"-v\d+(:\d+)?$"),
    re.compile(r"-(?:default|latest)$"),
    re.compile(r"-\d{8}$"),
    re.compile(r"-\d{4}-\d{2}-\d{2}$"),
    re.compile(r"-preview-\d{2}-\d{2,4}$"),
    re.compile(r"-00\d$"),
)
"""What names one release of a model, at the end of its name; taken away in this order."""

_PREVIEW: Final = re.compile(r"-preview$")
"""What the catalogue leaves out of a name: the row of `gemini-3-flash-preview` answers `gemini-3-flash`, not the
other way about."""


def model_profile(model: str) -> dict[str, Any] | None:
    """Tell what is known of a chat model.

    Args:
        model: The id in any of the gateway's grammars: `openai/gpt-4.1-mini`, `google-ai-studio/gemini-2.5-flash`,
            `@cf/meta/llama-3.1-8b-instruct`, `workers-ai/@cf/...`, `aws-bedrock/us.anthropic.claude-...`. Versions may
            be dotted or dashed; a dated id without a row of its own is answered by the undated one.

    Returns:
        A dict of its own for every call, with keys of LangChain's `ModelProfile`: `max_input_tokens` and
        `max_output_tokens` (tokens), `name`, `release_date` (ISO 8601), `status`, `reasoning_effort_levels` (a list of
        names) and flags such as `tool_calling`, `structured_output`, `image_inputs`, `reasoning_output`. A key is there
        only where the source says something. `None` for an unknown model, and for whatever only the gateway can
        resolve: `dynamic/...`, `cloudflare/auto`, `custom-...`.

    Raises:
        ConfigurationError: `model` is no text.
    """
    if not isinstance(model, str):
        raise ConfigurationError(f"model cannot be {shown(model)}: it is an id such as 'openai/gpt-4.1-mini'")
    columns, rows = _table()
    for name in _spellings(model):
        if name in rows:
            known = zip(columns, rows[name], strict=True)
            return {key: deepcopy(value) for key, value in known if value is not None}
    return None


def _spellings(model: str) -> Iterator[str]:
    """Give an id as the table spells it, then without the name of its release."""
    name = model.lower()
    for prefix, replacement in _PREFIXES:
        if name.startswith(prefix):
            name = replacement + name.removeprefix(prefix)
    name = _SEPARATORS.sub("-", name)
    yield name
    for release in _RELEASES:
        shorter = release.sub("", name)
        if shorter != name:
            yield (name := shorter)


@cache
def _table() -> tuple[list[str], dict[str, list[Any]]]:
    """Read the file: its columns, and each row by every spelling, where the least shortened, then the newest, wins."""
    data = json.loads(files("aigw").joinpath("_profiles.json").read_text(encoding="utf-8"))
    newest_first = sorted(data["models"].items(), reverse=True)
    spelled = [
        (shortened, name, row) for model, row in newest_first for shortened, name in enumerate(_spellings(model))
    ]
    rows: dict[str, list[Any]] = {}
    for _, name, row in sorted(spelled, key=itemgetter(0)):
        rows.setdefault(name, row)
    for name, row in list(rows.items()):
        rows.setdefault(_PREVIEW.sub("", name), row)
    return data["columns"], rows
