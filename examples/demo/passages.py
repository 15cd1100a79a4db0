"""Documents cut into passages, the same ones for both frameworks.

`langchain-core` has no splitter, and LlamaIndex's tears code blocks; the demo should not ask for one more package.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LIMIT: Final = 900
"""Characters a passage has about; a paragraph or a code block may have twice as many before it is cut."""

_FENCES: Final = ("```", "~~~")


def split_passages(text: str, limit: int = LIMIT) -> list[str]:
    """Cut a text between paragraphs; a heading opens a passage, and a fenced block stays whole.

    Args:
        text: The text.
        limit: Characters a passage may have before the next paragraph opens a new one.
    """
    pieces = [piece for paragraph in _paragraphs(text) for piece in _cut(paragraph, limit)]
    return _pack(pieces, "\n\n", limit)


def _paragraphs(text: str) -> Iterator[str]:
    lines: list[str] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith(_FENCES)
        if line.strip() or fenced:
            lines.append(line)
        elif lines:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def _cut(paragraph: str, limit: int) -> list[str]:
    """Cut what is far too long between its lines, and a line that is between its words."""
    if len(paragraph) <= 2 * limit:
        return [paragraph]
    lines = [part for line in paragraph.splitlines() for part in (textwrap.wrap(line, limit) or [""])]
    return _pack(lines, "\n", limit)


def _pack(pieces: Iterable[str], joint: str, limit: int) -> list[str]:
    packed: list[str] = []
    for piece in pieces:
        joined = f"{packed[-1]}{joint}{piece}" if packed else ""
        if packed and len(joined) <= limit and not piece.startswith("#"):
            packed[-1] = joined
        else:
            packed.append(piece)
    return packed
