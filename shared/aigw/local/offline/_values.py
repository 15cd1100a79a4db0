"""Values found in a prompt: numbers, names, dates, members of an enumeration; each is used once."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from aigw.local.offline._passages import split_sentences
from aigw.local.offline._rules import OPENERS, RULES, Rule
from aigw.local.offline._words import STOP_WORDS, name_words, stem, stems, words

Span = tuple[int, int]

LONGEST_SEARCHED: Final = 10_000
"""How many characters of a prompt are searched for values; what stands after them is not found."""

_NUMBER: Final = re.compile(r"(?<![\w.])(?<!\d,)(?:(?<![\w)]\s)-)?\d+(?:,\d{3})*(?:\.\d+)?(?!\w*-\w)")
_SPELLED: Final = {
    word: float(number)
    for number, word in enumerate(words("zero one two three four five six seven eight nine ten eleven twelve"))
}
_SPELLED_NUMBER: Final = re.compile(rf"(?i)\b(?:{'|'.join(name for name in _SPELLED if name != 'one')})\b")
_QUOTED: Final = re.compile(r"\"([^\"\n]+)\"|\u201c([^\u201d\n]+)\u201d|`([^`\n]+)`|(?<!\w)'([^'\n]+)'(?!\w)")
_LISTED: Final = re.compile(
    r"(?:[\w&'-]+(?: [\w&'-]+){0,2})(?:, (?:[\w&'-]+(?: [\w&'-]+){0,2}))*,? (?:and|or) (?:[\w&'-]+(?: [\w&'-]+)?)"
)
_LIST_JOINT: Final = re.compile(r",\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+|\n\s*[-*]\s*|;\s*")
_LABELLED_END: Final = r"([^\n]+?)(?=[,;]\s|[.!?](?:\s|$)|\s+(?:and|who|which|with|but)\s|\n|\s*$)"
_LABELLED_LIST: Final = r"([^\n]+?)(?=;\s|[.!?](?:\s|$)|\n|\s*$)"
_LABEL: Final = r"[\"'`]?\b{name}\b[\"'`]?\s*(?:[:=]|\bis\b|\bare\b|\bwas\b|\bof\b)\s*(?![{{\[])"
_NEAR: Final = 40
_KIN: Final = {
    "age": "year old",
    "price": "cost euro dollar",
    "temperature": "degree",
    "quantity": "piece",
    "duration": "minute hour day second",
}
_NEGATIVE: Final = re.compile(r"(?i)\b(?:no|not|don't|without|never|disable[d]?|off|false|non|isn't|aren't)\b")


@dataclass(frozen=True, slots=True)
class Hint:
    """What a property is called and described as; both say where its value may stand."""

    name: str
    description: str = ""

    @property
    def label(self) -> str:
        """A pattern for the property's name as people write it."""
        parts = name_words(self.name)
        return r"[\s_-]*".join(map(re.escape, parts)) if parts else r"(?!)"

    @property
    def stems(self) -> frozenset[str]:
        """The words that may stand near the value; single letters only count as labels."""
        own = stems(" ".join(name_words(self.name)))
        kin = stems(" ".join(_KIN.get(word, "") for word in name_words(self.name)))
        return frozenset(word for word in own | kin | stems(self.description) if len(word) > 1)

    @property
    def rule(self) -> Rule | None:
        """The kind of property: by the last word of the name, the whole name, then the description."""
        named = [stem(word) for word in name_words(self.name)]
        for known in (frozenset(named[-1:]), frozenset(named), stems(self.description)):
            for rule in RULES:
                if rule.names & known:
                    return rule
        return None


class Finder:
    """The values of one prompt, given out one after the other.

    Args:
        text: The prompt.
        reply: What the model would answer to it in words.
    """

    def __init__(self, text: str, reply: str = "") -> None:
        self.text = text[:LONGEST_SEARCHED]
        self.reply = reply
        self.used: frozenset[Span] = frozenset()

    @cached_property
    def stems(self) -> frozenset[str]:
        """The words of the prompt."""
        return frozenset(map(stem, words(self.text)))

    def number(self, hint: Hint, fits: Callable[[float], bool], *, must: bool) -> float | None:
        """Give the number that stands nearest to the hint; if there must be one, else the first that is left."""
        free = [(span, value) for span, value in self._numbers() if span not in self.used and fits(value)]
        near = [(self._distance(span, hint), span, value) for span, value in free]
        distance, span, value = min(near, default=(_NEAR, (0, 0), 0.0))
        if distance >= _NEAR:
            if not must or not free:
                return None
            span, value = free[0]
        self._use(span)
        return value

    def numbers(self, fits: Callable[[float], bool]) -> list[float]:
        """Give all numbers that are left."""
        free = [(span, value) for span, value in self._numbers() if span not in self.used and fits(value)]
        for span, _ in free:
            self._use(span)
        return [value for _, value in free]

    def members(self, options: Iterable[Any]) -> list[Any]:
        """Give the members of an enumeration that the prompt mentions, in the order of the prompt."""
        found = [(self._mention(option), option) for option in options]
        return [
            option for _, option in sorted(((at, option) for at, option in found if at >= 0), key=lambda pair: pair[0])
        ]

    def boolean(self, hint: Hint) -> bool | None:
        """Tell whether the prompt affirms or denies the hint; None when it does not speak of it."""
        if match := re.search(
            _LABEL.format(name=hint.label) + r"(true|false|yes|no|on|off)\b", self.text, re.IGNORECASE
        ):
            return match[1].lower() in {"true", "yes", "on"}
        named = stems(" ".join(name_words(hint.name))) - {"is", "has", "should"}
        for sentence in split_sentences(self.text):
            if named and named <= stems(sentence):
                return not _NEGATIVE.search(sentence)
        return None

    def string(self, hint: Hint, accepts: Callable[[str], bool], *, must: bool) -> str | None:
        """Give the text for a property: labelled, of the property's kind, quoted; if it must, the best phrase left."""
        for span, value in self._strings(hint, must=must):
            if value and span not in self.used and accepts(value):
                self._use(span)
                return value
        return None

    def strings(self, hint: Hint) -> list[str]:
        """Give the items of a list: a labelled list, names of the property's kind, an enumeration in a sentence."""
        label = re.compile(_LABEL.format(name=hint.label) + _LABELLED_LIST, re.IGNORECASE)
        if match := label.search(self.text):
            return _split_list(match[1])
        rule = hint.rule
        told = [value for pattern in (rule.told if rule else ()) for _, value in self._matches(pattern)]
        listed = max(
            (_without_lead(_split_list(match[0])) for match in _LISTED.finditer(self.text)), key=len, default=[]
        )
        quoted = [value for _, value in self._quoted()]
        return next((values for values in (quoted, listed, told) if len(values) > 1), told or quoted)

    def pairs(self) -> dict[str, str]:
        """Give what the prompt writes as `key: value` or `key=value`."""
        found = re.findall(
            r"[\"']?\b([A-Za-z_][\w-]*)[\"']?\s*[:=]\s*[\"']?([^\s,;\"'{}\[\]][^,;\n\"'{}\[\]]*)", self.text
        )
        return {key: value.strip().rstrip(".") for key, value in found}

    def _strings(self, hint: Hint, *, must: bool) -> Iterator[tuple[Span, str]]:
        yield from self._labelled(hint)
        rule = hint.rule
        if rule and rule.is_reply and self.reply:
            yield (0, 0), self.reply
        for pattern in rule.told if rule else ():
            yield from self._matches(pattern)
        if not must:
            return
        yield from self._quoted()
        for pattern in rule.guessed if rule else ():
            yield from self._matches(pattern)
        yield from self._phrases(hint)

    def _labelled(self, hint: Hint) -> Iterator[tuple[Span, str]]:
        for match in re.finditer(_LABEL.format(name=hint.label) + _LABELLED_END, self.text, re.IGNORECASE):
            quoted = _QUOTED.match(match[1])
            yield match.span(1), next(filter(None, quoted.groups())) if quoted else match[1].strip(" \"'`")

    def _quoted(self) -> Iterator[tuple[Span, str]]:
        for match in _QUOTED.finditer(self.text):
            yield match.span(), next(filter(None, match.groups()))

    def _matches(self, pattern: re.Pattern[str]) -> Iterator[tuple[Span, str]]:
        for match in pattern.finditer(self.text):
            value = _without_opener(
                match[1], opens=not self.text[: match.start(1)].strip() or _opens(self.text, match.start(1))
            )
            if value:
                yield match.span(1), value

    def _phrases(self, hint: Hint) -> Iterator[tuple[Span, str]]:
        """Give the sentences of the prompt, the one nearest to the hint first; a phrase may be given twice."""
        sentences = split_sentences(self.text) or [self.text.strip()]
        for sentence in sorted(sentences, key=lambda sentence: -len(hint.stems & stems(sentence))):
            yield (-1, -1), sentence

    def _numbers(self) -> Iterator[tuple[Span, float]]:
        found = [(match.span(), float(match[0].replace(",", ""))) for match in _NUMBER.finditer(self.text)]
        found += [(match.span(), _SPELLED[match[0].lower()]) for match in _SPELLED_NUMBER.finditer(self.text)]
        yield from sorted(found)

    def _distance(self, span: Span, hint: Hint) -> float:
        """Count the characters between a number and the hint; a label right before it is distance 0."""
        before = self.text[max(0, span[0] - _NEAR) : span[0]]
        if re.search(_LABEL.format(name=hint.label) + r"$", before, re.IGNORECASE):
            return 0.0
        after = self.text[span[1] : span[1] + _NEAR]
        return min(
            _reach(re.split(r"[.!?\n]\s", before)[-1], hint, at_end=True),
            _reach(re.split(r"[.!?,\n](?:\s|$)", after)[0], hint, at_end=False),
        )

    def _mention(self, option: Any) -> int:
        if isinstance(option, bool) or option is None:
            return -1
        parts = [re.escape(part) for part in name_words(str(option))]
        match = re.search(r"(?<!\w)" + r"[\s_-]*".join(parts) + r"(?!\w)", self.text, re.IGNORECASE) if parts else None
        if match:
            return match.start()
        own = frozenset(stem(part) for part in name_words(str(option))) - {stem(word) for word in STOP_WORDS}
        return len(self.text) if own and own <= self.stems else -1

    def _use(self, span: Span) -> None:
        if span[0] >= 0 and span != (0, 0):
            self.used |= {span}


def _reach(text: str, hint: Hint, *, at_end: bool) -> float:
    wanted = hint.stems
    found = [match for match in re.finditer(r"[^\W_]+", text) if stem(match[0].lower()) in wanted]
    if not found:
        return _NEAR
    return len(text) - found[-1].end() if at_end else found[0].start() + 0.5


def _split_list(text: str) -> list[str]:
    return [part for item in _LIST_JOINT.split(text) if (part := item.strip(" \"'`.[]"))]


def _without_lead(items: list[str]) -> list[str]:
    """Cut the words before a list off its first item: it is taken to be no longer than the longest of the others."""
    longest = max((len(item.split()) for item in items[1:]), default=0)
    return [" ".join(items[0].split()[-longest:]), *items[1:]] if longest else items


def _opens(text: str, at: int) -> bool:
    """Whether a sentence begins at `at`."""
    return text[:at].rstrip()[-1:] in {"", ".", "?", "!", ":", "\n", "-", '"'}


def _without_opener(value: str, *, opens: bool) -> str:
    """Take the first word off when it is capital only because a sentence begins with it."""
    value = value.strip().strip(",;:").removesuffix(".") if len(value) > 2 else value.strip()
    if not opens or not value[:1].isupper():
        return value
    first, _, rest = value.partition(" ")
    is_opener = first.lower() in OPENERS or first.lower().replace("\u2019", "'") in STOP_WORDS
    if not is_opener or (rest and not rest[:1].isupper()):
        return value
    return rest


def join_texts(texts: Sequence[str]) -> str:
    """Join the texts to look for values in, leaving out what an earlier one holds already."""
    joined = ""
    for text in texts:
        if text.strip() and text.strip() not in joined:
            joined = f"{joined}\n\n{text.strip()}" if joined else text.strip()
    return joined
