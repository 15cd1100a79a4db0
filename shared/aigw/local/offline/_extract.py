"""Answers by quotation: the passages that fit a question best, word for word and in the order of the document."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aigw.local.offline._passages import Passage, split_passages
from aigw.local.offline._words import stems

MIN_COVERAGE: Final = 0.3
"""The share of the question's words, weighted by rarity, that must stand in a passage or its headings."""

MAX_PASSAGES: Final = 3

_CONTEXT_WEIGHT: Final = 0.4
_NEIGHBOUR_WEIGHT: Final = 0.15
_KIN_WEIGHT: Final = 0.6
_KIN_LETTERS: Final = 5
_SECOND_BEST: Final = 0.55
_USUAL_WORDS: Final = 14
_EXPECTED_BONUS: Final = 1.25
_LONG_TEXT: Final = 600
_KIND_WEIGHTS: Final = {"row": 0.85, "code": 0.75}
"""Sentences explain; a table row says less by itself, a block of code less still."""

_GENERIC: Final = stems(
    "summarize summarise summary document text passage article content context describe explain overview tldr following"
)
_KINDRED: Final = tuple(
    stems(group)
    for group in (
        "size large big mb gb kb bytes",
        "maximum max limit limits",
        "cost price fee charge costs",
        "expire expiry ttl lifetime",
        "begin start begins starts",
        "author writer wrote written",
        "delete remove",
        "error failure fault",
        "buy purchase order",
        "repair fix",
        "founded created established invented",
        "job work works profession occupation",
    )
)
"""Words that answer for one another, at the weight of a common beginning."""

_SUMMARY: Final = re.compile(
    r"\b(?:summar\w*|overview|main (?:points?|ideas?)|key (?:points?|details)|tl;?dr|(?:is|are) (?:this|these"
    r"|it|the \w+) about)\b",
    re.IGNORECASE,
)

_EXPECTED: Final = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(found))
    for asked, found in (
        (
            r"\bhow (?:many|much|long|often|old|large|big|fast|far|high)\b|\bwhat (?:year|date|price|size|number)\b",
            r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|hundred|thousand|never|unlimited)\b",
        ),
        (
            r"^\s*when\b|\bsince when\b",
            r"\d|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|\b(?:before|after|once|until|when)\b",
        ),
        (r"^\s*who\b|\bwhose\b", r"(?<=\w )[A-Z][a-z]+"),
        (r"^\s*why\b", r"\b(?:because|since|so that|therefore|in order to|due to|reason)\b"),
        (r"^\s*where\b", r"\b(?:in|at|on|near|under|from) (?:the )?[`A-Z]"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with its fit: `score` compares passages, `coverage` (0 to 1) says how much of the question it meets."""

    passage: Passage
    found: frozenset[str]
    score: float
    coverage: float


def extract(question: str, texts: Iterable[str]) -> str | None:
    """Answer `question` with one to three passages of `texts`; None when nothing in them fits."""
    passages = _unique(texts)
    if not passages:
        return None
    wanted = stems(question) - _GENERIC or stems(question)
    if _SUMMARY.search(question) and not any(wanted & stems(passage.text) for passage in passages):
        return quote(_central(passages))
    if not wanted:
        return None
    ranked = rank(question, wanted, passages)
    best = max(ranked, key=lambda item: item.score)
    return quote(_choose(best, ranked)) if best.coverage >= MIN_COVERAGE else None


def rank(question: str, wanted: frozenset[str], passages: Sequence[Passage]) -> list[Ranked]:
    """Score every passage by the rarity of the wanted words it holds, its headings, its kind and its neighbours."""
    bodies = [stems(passage.text) for passage in passages]
    weights = _rarity(wanted, bodies)
    total = sum(weights.values())
    expected = [found for asked, found in _EXPECTED if asked.search(question)]
    ranked = [_rank_one(passage, body, weights, total) for passage, body in zip(passages, bodies, strict=True)]
    raised = [_raise(item, expected) for item in ranked]
    return [_with_neighbours(raised, at) for at in range(len(raised))]


def quote(passages: Iterable[Passage]) -> str:
    """Join passages in the order of the document: prose by blanks, everything else on lines of its own."""
    text = ""
    before = "prose"
    for passage in sorted(passages, key=lambda passage: passage.start):
        joint = " " if before == passage.kind == "prose" else "\n"
        text = f"{text}{joint}{passage.text}" if text else passage.text
        before = passage.kind
    return text


def _unique(texts: Iterable[str]) -> list[Passage]:
    """Number the passages of all texts in one row, without repeated sentences and questions."""
    seen: set[str] = set()
    unique: list[Passage] = []
    offset = 0
    for text in texts:
        passages = split_passages(text)
        for passage in passages:
            if passage.text not in seen and not passage.text.endswith("?"):
                seen.add(passage.text)
                start, end = passage.start + offset, passage.end + offset
                unique.append(Passage(passage.text, passage.context, passage.kind, start, end))
        offset += len(passages) + 1
    return unique


def _rarity(wanted: frozenset[str], bodies: Sequence[frozenset[str]]) -> dict[str, float]:
    counts = Counter(word for body in bodies for word in wanted & body)
    return {word: math.log(1 + (len(bodies) + 1) / (counts[word] + 0.5)) for word in sorted(wanted)}


def _rank_one(passage: Passage, body: frozenset[str], weights: Mapping[str, float], total: float) -> Ranked:
    context = stems(passage.context)
    score = covered = 0.0
    found: set[str] = set()
    for word, weight in weights.items():
        here = _presence(word, body)
        above = _presence(word, context) * _CONTEXT_WEIGHT
        if here:
            found.add(word)
        score += weight * (here + (above if not here else above / 2))
        covered += weight * max(here, above)
    length = 0.7 + 0.3 * max(1.0, len(body) / _USUAL_WORDS)
    score *= _KIND_WEIGHTS.get(passage.kind, 1.0) / length
    return Ranked(passage, frozenset(found), score if found else score / 2, covered / total)


def _presence(word: str, body: frozenset[str]) -> float:
    """1 for the word itself, less for a word of the same beginning (`expire`, `expiry`), 0 for none."""
    if word in body:
        return 1.0
    if any(word in group and group & body for group in _KINDRED):
        return _KIN_WEIGHT
    if len(word) < _KIN_LETTERS:
        return 0.0
    beginning = word[:_KIN_LETTERS]
    return _KIN_WEIGHT if any(other.startswith(beginning) for other in body) else 0.0


def _raise(item: Ranked, expected: Sequence[re.Pattern[str]]) -> Ranked:
    if not any(pattern.search(item.passage.text) for pattern in expected):
        return item
    return Ranked(item.passage, item.found, item.score * _EXPECTED_BONUS, item.coverage * _EXPECTED_BONUS)


def _with_neighbours(ranked: Sequence[Ranked], at: int) -> Ranked:
    item = ranked[at]
    near = max((ranked[place].score for place in (at - 1, at + 1) if 0 <= place < len(ranked)), default=0.0)
    return Ranked(item.passage, item.found, item.score + _NEIGHBOUR_WEIGHT * near * bool(item.found), item.coverage)


def _choose(best: Ranked, ranked: Sequence[Ranked]) -> list[Passage]:
    """Take the best passage, and at most two that say something it does not."""
    chosen = [best]
    for item in sorted(ranked, key=lambda item: -item.score):
        enough = item.score >= _SECOND_BEST * best.score
        length = sum(len(other.passage.text) for other in chosen) + len(item.passage.text)
        if len(chosen) == MAX_PASSAGES or not enough or length > _LONG_TEXT:
            break
        if not any(_overlap(item.passage, other.passage) for other in chosen) and _adds(item, chosen):
            chosen.append(item)
    return [item.passage for item in chosen]


def _adds(item: Ranked, chosen: Sequence[Ranked]) -> bool:
    found = frozenset().union(*(other.found for other in chosen))
    return bool(item.found - found) or item.score >= 0.8 * chosen[0].score


def _overlap(one: Passage, other: Passage) -> bool:
    return one.start < other.end and other.start < one.end


def _central(passages: Sequence[Passage]) -> list[Passage]:
    """Take the passages that share most words with the rest; the first of a text counts a little more."""
    bodies = [stems(passage.text) for passage in passages]
    counts = Counter(word for body in bodies for word in body)
    scores = [
        sum(counts[word] - 1 for word in body) / (len(body) + 3) + (1.0 if at == 0 else 0.0)
        for at, body in enumerate(bodies)
    ]
    chosen: list[Passage] = []
    for at in sorted(range(len(passages)), key=lambda at: -scores[at]):
        if len(chosen) < MAX_PASSAGES and not any(_overlap(passages[at], other) for other in chosen):
            chosen.append(passages[at])
    return chosen
