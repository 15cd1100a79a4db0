"""How many tokens a text is, near enough for usage numbers and `max_tokens`."""

import re
from typing import Final

_PIECE: Final = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|[^\w\s]+|_+"
)
_LETTERS_PER_TOKEN: Final = 8


def count_tokens(text: str) -> int:
    """Estimate the tokens of `text`: about 1.3 a word of English prose, or one for every four characters.

    Each run of letters or digits counts one token for every eight characters begun, each run of punctuation one, each
    Chinese, Japanese or Korean character one. No model's vocabulary is consulted. An empty text has 0 tokens, and a
    text cut at white space has as many tokens as its pieces together.
    """
    return sum([-(-len(piece) // _LETTERS_PER_TOKEN) for piece in _PIECE.findall(text)])


def first_tokens(text: str, limit: int) -> str:
    """Give the longest beginning of `text`, in whole pieces, that has at most `limit` tokens."""
    left = limit
    for piece in _PIECE.finditer(text):
        left -= count_tokens(piece[0])
        if left < 0:
            return text[: piece.start()].rstrip()
    return text
