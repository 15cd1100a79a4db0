"""A Markdown text cut into passages that can each be quoted alone: sentences, list items, table rows, code blocks.

Nothing is torn apart and nothing is glued together: a fenced block stays whole, a wrapped line is joined again, a line
that introduces a list is quoted with it, and every passage knows the headings above it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

_FENCE: Final = re.compile(r"^\s*(```|~~~)")
_HEADING: Final = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)\s*#*$")
_RULE: Final = re.compile(r"^\s*(?:[-=*_]\s*){3,}$")
_TABLE_RULE: Final = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_ITEM: Final = re.compile(r"^\s*(?:[-*+\u2022]|\d{1,3}[.)])\s+\S")
_LABELLED: Final = re.compile(
    r"^\s*(?:file_path|file_name|source|title|url|page_label|section|header_path)\s*:\s*(.*)$", re.IGNORECASE
)
_IGNORED: Final = re.compile(
    r"^\s*(?:file_type|file_size|creation_date|last_modified_date|last_accessed_date)\s*:|^\s*</?\w+(?:\s[^>]*)?>\s*$",
    re.IGNORECASE,
)
_QUOTE: Final = re.compile(r"^\s*>\s?")
_SENTENCE_END: Final = re.compile(
    r"(?<=[.!?])[\"'\u201d\u2019)\]*_]*\s+(?=[\"'\u201c\u2018(\[*_`]*[A-Z0-9\u00c0-\u024f`])|(?<=[\u3002\uff01\uff1f])"
)
_ABBREVIATION: Final = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|approx|no|fig|sec|mr|mrs|ms|dr|prof|st|inc|ltd|co|u\.s|u\.k|a\.m|p\.m)|(?<![A-Za-z])(?-i:[A-Z]))\.$",
    re.IGNORECASE,
)
_WRAPPED_FROM: Final = 45
_MAX_LED: Final = 12


class Line(NamedTuple):
    """What stands between two cuts, not yet split into sentences: `kind` is prose, item, row or code."""

    kind: str
    text: str
    context: str


@dataclass(frozen=True, slots=True)
class Passage:
    """One quotable piece.

    Attributes:
        text: The piece as it stands in the source, line wraps taken out.
        context: The headings above it, and the line or table head that introduces it.
        kind: `prose`, `item`, `row`, `code`, or `list` for an introduction with what it introduces.
        start: Its place among the passages.
        end: The place after the last passage it covers; more than one only for a `list`.
    """

    text: str
    context: str
    kind: str
    start: int
    end: int


def split_passages(text: str) -> list[Passage]:
    """Cut `text` into passages in the order of the text."""
    pieces = [piece for line in _lines(text) for piece in _sentences_of(line)]
    return [_passage(pieces, at) for at in range(len(pieces))]


def split_sentences(text: str) -> list[str]:
    """Cut one paragraph into sentences; abbreviations, initials and inline code end none."""
    sentences: list[str] = []
    start = 0
    for cut in _SENTENCE_END.finditer(text):
        candidate = text[start : cut.end()].strip()
        if candidate and not _ABBREVIATION.search(candidate) and candidate.count("`") % 2 == 0:
            sentences.append(candidate)
            start = cut.end()
    rest = text[start:].strip()
    return [*sentences, rest] if rest else sentences


def _sentences_of(line: Line) -> Iterator[Line]:
    texts = split_sentences(line.text) if line.kind == "prose" else [line.text]
    for text in texts:
        yield Line(line.kind, text, line.context)


def _passage(pieces: list[Line], at: int) -> Passage:
    """Join an introduction with the list, table or code below it; give them its words as context."""
    piece = pieces[at]
    led = _led_by(pieces, at)
    if led:
        text = "\n".join((piece.text, *(follower.text for follower in led)))
        return Passage(text, piece.context, "list", at, at + 1 + len(led))
    lead = _lead_of(pieces, at)
    context = f"{piece.context}\n{lead}" if lead else piece.context
    return Passage(piece.text, context, piece.kind, at, at + 1)


def _led_by(pieces: list[Line], at: int) -> list[Line]:
    if pieces[at].kind != "prose" or not pieces[at].text.endswith(":"):
        return []
    led: list[Line] = []
    for piece in pieces[at + 1 :]:
        if piece.kind == "prose" or (led and led[0].kind != piece.kind):
            break
        led.append(piece)
    return led[:_MAX_LED] if led and led[0].kind != "code" else led[:1]


def _lead_of(pieces: list[Line], at: int) -> str:
    if pieces[at].kind == "prose":
        return ""
    for piece in reversed(pieces[:at]):
        if piece.kind == "prose":
            return piece.text if piece.text.endswith(":") else ""
    return ""


def _lines(text: str) -> Iterator[Line]:
    """Walk the source's lines, keeping the headings, and give joined paragraphs, items, rows and blocks."""
    reader = _Reader()
    for raw in _without_stray_fences(text.splitlines()):
        yield from reader.feed(raw)
    yield from reader.close()


def _without_stray_fences(lines: list[str]) -> list[str]:
    """Drop a bare fence that closes nothing here: a splitter has left the beginning of its block behind.

    It is one if the next fence opens a block with a language, or if no fence follows.
    """
    stray: set[int] = set()
    opened: int | None = None
    for at, line in enumerate(lines):
        if not _FENCE.match(line):
            continue
        is_bare = line.strip() in {"```", "~~~"}
        if opened is None or (not is_bare and opened in stray):
            opened = at
            stray |= {at} if is_bare else set()
        elif is_bare:
            stray.discard(opened)
            opened = None
    return [line for at, line in enumerate(lines) if at not in stray]


class _Reader:
    """The state of one walk: the open paragraph, item or fence, and the headings above it."""

    def __init__(self) -> None:
        self._kind = "prose"
        self._open: list[str] = []
        self._headings: list[tuple[int, str]] = []
        self._labels: list[str] = []
        self._table_head = ""
        self._fence = ""

    def feed(self, raw: str) -> Iterator[Line]:
        if self._fence:
            yield from self._feed_code(raw)
        elif fence := _FENCE.match(raw):
            yield from self._flush()
            self._fence, self._kind, self._open = fence[1], "code", [raw]
        elif not raw.strip() or _RULE.match(raw) or _TABLE_RULE.match(raw):
            yield from self._flush()
            self._feed_gap(raw)
        else:
            yield from self._feed_text(_QUOTE.sub("", raw).rstrip())

    def close(self) -> Iterator[Line]:
        yield from self._flush()

    def _feed_code(self, raw: str) -> Iterator[Line]:
        self._open.append(raw)
        if raw.strip() == self._fence:
            self._fence = ""
            yield from self._flush()

    def _feed_gap(self, raw: str) -> None:
        if not _TABLE_RULE.match(raw) or "|" not in raw:
            self._table_head = ""
        if _RULE.match(raw):
            self._headings, self._labels = [], []

    def _feed_text(self, line: str) -> Iterator[Line]:
        if heading := _HEADING.match(line):
            yield from self._flush()
            level = len(heading[1])
            self._headings = [*(pair for pair in self._headings if pair[0] < level), (level, heading[2])]
        elif label := _LABELLED.match(line):
            yield from self._flush()
            self._labels.append(label[1])
        elif _IGNORED.match(line):
            yield from self._flush()
        elif line.lstrip().startswith("|"):
            yield from self._feed_row(line)
        elif _ITEM.match(line):
            yield from self._flush()
            self._kind, self._open = "item", [line.strip()]
        elif self._continues(line):
            self._open.append(line.strip())
        else:
            yield from self._flush()
            self._open = [line.strip()]

    def _feed_row(self, line: str) -> Iterator[Line]:
        yield from self._flush()
        if self._table_head:
            yield Line("row", line.strip(), f"{self._context()}\n{self._table_head}")
        else:
            self._table_head = line.strip()

    def _continues(self, line: str) -> bool:
        """Whether `line` goes on with what is open: an indented item, or a line wrapped inside a sentence."""
        if not self._open:
            return False
        if self._kind == "item":
            return line[:1].isspace() or line.lstrip()[:1].islower()
        last = self._open[-1]
        return not last.endswith(":") and (
            len(last) >= _WRAPPED_FROM or line.lstrip()[:1].islower() or last.endswith(",")
        )

    def _flush(self) -> Iterator[Line]:
        if self._open:
            joint = "\n" if self._kind == "code" else " "
            yield Line(self._kind, joint.join(self._open), self._context())
        self._kind, self._open = "prose", []

    def _context(self) -> str:
        return "\n".join((*self._labels, *(text for _, text in self._headings)))
