"""Embeddings without a model: words and pieces of words, hashed into a vector.

The vector of a text holds which words it uses, no more: texts about the same topic lie near each other as far as they
share words or parts of words. Paraphrases without a common word are strangers.
"""

import base64
import math
import struct
from collections import Counter
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from aigw._given import shown
from aigw.local.offline._errors import InvalidRequest
from aigw.local.offline._tokens import count_tokens
from aigw.local.offline._words import STOP_WORDS, stem, words

DEFAULT_DIMENSIONS: Final = 384
MIN_DIMENSIONS: Final = 8
MAX_DIMENSIONS: Final = 4096
ENCODINGS: Final = ("float", "base64")

_WORD_WEIGHT: Final = 1.0
_STOP_WEIGHT: Final = 0.05
_PIECES_WEIGHT: Final = 0.35
_PLACES: Final = 4
_PIECE_LENGTH: Final = 3

Feature = tuple[int, float]
"""A number that becomes an index modulo the dimensions, and the signed weight that is added there."""


def embed(body: dict[str, Any]) -> dict[str, Any]:
    """Answer the body of an embeddings request.

    Args:
        body: `input` (a string, a list of token numbers, or a list of either), and optionally `model`, `dimensions` (8
            to 4096, default 384) and `encoding_format` (`float`, or `base64`: little-endian 32-bit floats).

    Returns:
        An embedding list object; every vector has length 1. Tokens are words without a meaning: near only to tokens.

    Raises:
        InvalidRequest: A field is missing, of another type or out of range.
    """
    items = _read_input(body.get("input"))
    dimensions = _read_dimensions(body.get("dimensions"))
    encoding = body.get("encoding_format") or "float"
    if encoding not in ENCODINGS:
        raise InvalidRequest(
            f"encoding_format is {shown(encoding)}, but it must be 'float' or 'base64'", "encoding_format"
        )
    vectors = [embed_text(_text(item), dimensions) for item in items]
    data = [
        {"object": "embedding", "index": index, "embedding": _pack(vector) if encoding == "base64" else vector}
        for index, vector in enumerate(vectors)
    ]
    tokens = sum(count_tokens(item) if isinstance(item, str) else len(item) for item in items)
    return {
        "object": "list",
        "data": data,
        "model": body.get("model") or "offline",
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def embed_text(text: str, dimensions: int = DEFAULT_DIMENSIONS) -> list[float]:
    """Give the vector of `text`, of length 1; a text without any word has the vector of its characters."""
    counts = Counter(words(text)) or Counter({text.strip(): 1})
    vector = [0.0] * dimensions
    for word, count in counts.items():
        frequency = 1.0 + math.log(count)
        for place, weight in _features(word):
            vector[place % dimensions] += weight * frequency
    length = math.sqrt(math.fsum(value * value for value in vector))
    return [value / length for value in vector] if length else [1.0] + [0.0] * (dimensions - 1)


@lru_cache(maxsize=8_192)
def _features(word: str) -> tuple[Feature, ...]:
    if word in STOP_WORDS:
        return _spread(word, _STOP_WEIGHT)
    padded = f"^{word}$"
    pieces = sorted({padded[at : at + _PIECE_LENGTH] for at in range(max(1, len(padded) - _PIECE_LENGTH + 1))})
    share = _PIECES_WEIGHT / math.sqrt(len(pieces))
    return (
        *_spread(stem(word), _WORD_WEIGHT),
        *(_place(_digest(f"piece:{piece}"), share) for piece in pieces),
    )


def _spread(word: str, weight: float) -> tuple[Feature, ...]:
    """Hash a word to several places, so that no single collision makes strangers alike."""
    digest = _digest(f"word:{word}")
    return tuple(_place(digest[4 * at : 4 * at + 4], weight / math.sqrt(_PLACES)) for at in range(_PLACES))


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4 * _PLACES).digest()


def _place(digest: bytes, weight: float) -> Feature:
    number = int.from_bytes(digest[:4], "little")
    return number >> 1, weight if number & 1 else -weight


def _pack(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


def _read_input(value: Any) -> list[str | list[int]]:
    if isinstance(value, str) or _is_tokens(value):
        return [value]
    if not isinstance(value, list) or not value or not all(isinstance(item, str) or _is_tokens(item) for item in value):
        raise InvalidRequest("input must be a string, a list of tokens, or a list of at least one of either", "input")
    return value


def _is_tokens(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(token) is int and token >= 0 for token in value)


def _text(item: str | list[int]) -> str:
    return item if isinstance(item, str) else " ".join(map(str, item))


def _read_dimensions(value: Any) -> int:
    if value is None:
        return DEFAULT_DIMENSIONS
    if not isinstance(value, int) or isinstance(value, bool) or not MIN_DIMENSIONS <= value <= MAX_DIMENSIONS:
        raise InvalidRequest(
            f"dimensions must be a whole number from {MIN_DIMENSIONS} to {MAX_DIMENSIONS}", "dimensions"
        )
    return value
