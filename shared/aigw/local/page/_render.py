"""The templates, escaped by default, and the words they write numbers and times with."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from math import floor, log10
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from aigw._version import __version__
from aigw.local.page._view import CHOICES

_HERE: Final = Path(__file__).parent
_TOKEN: Final = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<value>\b(?:true|false|null)\b|-?\d[\d.eE+-]*)'
)
_THOUSAND: Final = 1000
_MILLION: Final = 1_000_000


@cache
def templates() -> Environment:
    """Give the environment with the page's templates."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": money,
        "millis": millis,
        "short": short,
        "share": share,
        "clock": clock,
        "size": size,
        "highlight": highlight,
    }
    environment.globals |= {"version": __version__, "choices": CHOICES}
    return environment


def render(name: str, **values: object) -> str:
    """Fill in one template."""
    return templates().get_template(name).render(values)


def money(dollars: float | None) -> str:
    """Write US dollars: `$0`, `$0.0042`, `$12.30`; an em dash when unknown."""
    if dollars is None:
        return "\N{EM DASH}"
    if not dollars:
        return "$0"
    digits = 2 if dollars >= 1 else 1 - floor(log10(dollars))
    return f"${dollars:,.{digits}f}"


def millis(ms: float) -> str:
    """Write a duration: `940 ms`, `1.2 s`."""
    return f"{ms:.0f} ms" if ms < _THOUSAND else f"{ms / _THOUSAND:.1f} s"


def short(number: float | None) -> str:
    """Write a count: `940`, `12.3k`, `4.0M`; an em dash when unknown."""
    if number is None:
        return "\N{EM DASH}"
    for limit, unit in ((_MILLION, "M"), (10 * _THOUSAND, "k")):
        if number >= limit:
            return f"{number / (limit if unit == 'M' else _THOUSAND):.1f}{unit}"
    return f"{number:,.0f}"


def share(value: float) -> str:
    """Write a share of 1 as a percentage: `0%`, `0.4%`, `37%`."""
    percent = value * 100
    return f"{percent:.1f}%" if 0 < percent < 1 else f"{percent:.0f}%"


def clock(moment: str) -> str:
    """Write an RFC 3339 moment as this machine's time of day, with the date unless it is today's."""
    local = datetime.fromisoformat(moment).astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return local.strftime("%H:%M:%S" if today else "%d %b %H:%M")


def size(count: int) -> str:
    """Write a number of bytes: `940 B`, `12.3 kB`, `4.0 MB`."""
    if count < _THOUSAND:
        return f"{count} B"
    return f"{count / _THOUSAND:.1f} kB" if count < _MILLION else f"{count / _MILLION:.1f} MB"


def highlight(text: str) -> Markup:
    """Mark the keys, texts and values of JSON; all of it is escaped."""
    pieces: list[Markup] = []
    end = 0
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        pieces += [escape(text[end : found.start()]), Markup('<span class="{}">{}</span>').format(kind, found[0])]
        end = found.end()
    return Markup("").join([*pieces, escape(text[end:])])
