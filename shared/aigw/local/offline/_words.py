"""Words: how text is cut into them, which carry no topic, and what they have in common with their inflections.

Everything that compares texts (embedding, ranking, choosing a tool) compares these stems, so that all of them agree on
what "the same word" is. English is stemmed; other scripts are cut into words, Chinese and Japanese into characters.
"""

import re
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"\d+(?:[.,]\d+)+(?![^\W_])|[^\W_]+(?:'[^\W_]+)?")
_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\u3040-\u30ff\u3400-\u9fff]+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

STOP_WORDS: Final = frozenset(
    _WORD.findall("""
    a about after again all also am an and any are aren't as at be because been before being below between both but
    by can can't cannot could couldn't did didn't do does doesn't doing don't done down during each either else
    ever every
    few for from further get gets give given had has hasn't have haven't having he her here hers him his how how's i i'd
    i'll i'm i've if in into is isn't it it's its itself just let let's like many may me might mine more most much must
    my myself no nor not of off on once one only or other our ours out over own per please shall she should so some such
    tell than that that's the their theirs them themselves then there there's these they they're this those through to
    too under until up upon us use used uses using very via was wasn't way we well were what what's when when's where
    where's whether which while who who's whom whose why will with within without won't would yes yet you you're your
    yours""")
)
"""English words that say nothing of a text's topic, in lower case."""

_IRREGULAR: Final = {
    "bought": "buy", "brought": "bring", "children": "child", "embed": "embed", "fed": "feed", "gave": "give",
    "held": "hold", "kept": "keep", "left": "leave", "made": "make", "men": "man", "news": "news", "paid": "pay",
    "people": "person", "ran": "run", "said": "say", "sent": "send", "sold": "sell", "speed": "speed", "spent": "spend",
    "string": "string", "taken": "take", "thing": "thing", "took": "take", "women": "woman", "written": "writ",
    "wrote": "writ",
}  # fmt: skip

_PLURALS: Final = (("sses", "ss"), ("ies", "y"), ("ss", "ss"), ("us", "us"), ("is", "is"), ("s", ""))
_ENDINGS: Final = (
    ("ization", "iz"),
    ("ation", ""),
    ("ingly", ""),
    ("ment", ""),
    ("ness", ""),
    ("sion", "s"),
    ("tion", "t"),
    ("ied", "y"),
    ("ing", ""),
    ("ate", ""),
    ("ed", ""),
    ("ly", ""),
)
_SHORTEST: Final = 3
_DOUBLED: Final = re.compile(r"([bdgmnprt])\1$")


def words(text: str) -> list[str]:
    """Cut `text` into lower-case words, without possessive endings."""
    found: list[str] = _WORD.findall(text.lower().replace("\u2019", "'"))
    if not text.isascii():
        found = [piece for word in found for piece in _UNSPACED.findall(word)]
    return [word.removesuffix("'s") for word in found]


def name_words(name: str) -> list[str]:
    """Cut an identifier (`get_weather`, `getWeather`, `cf-aig-step`) into lower-case words."""
    return words(_CAMEL.sub(" ", name))


@lru_cache(maxsize=8_192)
def stem(word: str) -> str:
    """Take a lower-case word's inflection off: `caches`, `cached` and `caching` give the same stem."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= _SHORTEST or not word.isalpha():
        return word
    base = _replace_ending(word, _PLURALS)
    base = _IRREGULAR.get(base) or _DOUBLED.sub(r"\1", _replace_ending(base, _ENDINGS))
    if base.endswith("y"):
        return base[:-1] + "i"
    return base[:-1] if base.endswith("e") and len(base) > _SHORTEST else base


def stems(text: str) -> frozenset[str]:
    """Give the stems of the words in `text` that say something of its topic."""
    return frozenset(stem(word) for word in words(text) if word not in STOP_WORDS)


def _replace_ending(word: str, endings: tuple[tuple[str, str], ...]) -> str:
    for ending, put in endings:
        if word.endswith(ending) and len(word) - len(ending) + len(put) >= _SHORTEST:
            return word[: len(word) - len(ending)] + put
    return word
