"""Where in a prompt the value of a property usually stands, by what the property is called: data, no code.

A rule's stems are looked up in the property's name first and in its description after that. `told` patterns are
evidence by themselves; `guessed` ones are used only when a value must be given.
"""

import re
from dataclasses import dataclass
from typing import Final

from aigw.local.offline._words import stems, words

_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
PROPER: Final = (
    r"[A-Z\u00c0-\u00de][\w'\u2019.&-]*"
    r"(?:\s+(?:(?:de|of|la|del|van|von|der|the)\s+)?[A-Z\u00c0-\u00de][\w'\u2019&-]*)*"
)
"""A name: capitalised words in a row, with the small words that join them."""

EMAIL: Final = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
URL: Final = r"https?://[^\s<>\"')\]]*[^\s<>\"')\].,;:!?]"
ISO_DATE: Final = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
CLOCK: Final = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of property.

    Attributes:
        names: Stems that tell the kind.
        told: Patterns whose first group (or whole match) is the value.
        guessed: Patterns for a value that must be given.
        is_reply: Whether the model's own answer to the prompt is the value.
    """

    names: frozenset[str]
    told: tuple[re.Pattern[str], ...] = ()
    guessed: tuple[re.Pattern[str], ...] = ()
    is_reply: bool = False


def _rule(names: str, *told: str, guessed: tuple[str, ...] = (), is_reply: bool = False) -> Rule:
    return Rule(stems(names), tuple(map(re.compile, told)), tuple(map(re.compile, guessed)), is_reply)


RULES: Final = (
    _rule("email mail", rf"({EMAIL})"),
    _rule("url uri link website homepage", rf"({URL})"),
    _rule("path file filename filepath directory folder", r"((?:[\w.-]*/)+[\w.-]*\w|\b[\w-]+\.[a-z]\w{0,4}\b)"),
    _rule("phone telephone mobile", r"(\+?\d[\d ()/-]{5,}\d)"),
    _rule(
        "date day deadline birthday birthdate dob",
        rf"({ISO_DATE})",
        rf"({_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?)",
        rf"(\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH}(?:,? \d{{4}})?)",
        r"(?i)\b(today|tonight|tomorrow|yesterday|(?:next |this )?(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
        r"(?i)\b(next (?:week|month|year))\b",
    ),
    _rule("time hour", rf"\b({CLOCK})\b", r"(?i)\b(\d{1,2} ?(?:am|pm|a\.m\.|p\.m\.))", r"(?i)\b(noon|midnight)\b"),
    _rule("origin departure", rf"\bfrom ({PROPER})"),
    _rule("destination arrival", rf"\b(?:to|for) ({PROPER})"),
    _rule(
        "city location place country town region address venue area state",
        rf"\b(?:in|at|near|around) ((?:the )?{PROPER}(?:, (?:[A-Z]{{2}}\b|[A-Z][a-z]+(?=\s*[.?!]|\s*$)))?)",
        rf"\b(?:to|for|from|of|visit|visiting) ((?:the )?{PROPER}(?:, [A-Z]{{2}}\b)?)",
        r"\b(?:in|at|near) (?!the\b|a\b|an\b|my\b|this\b|celsius\b|fahrenheit\b)([a-z][a-z-]{2,})\b",
        guessed=(rf"\b[a-z][\w',]* ({PROPER})",),
    ),
    _rule("currency", r"\b(USD|EUR|GBP|JPY|CHF|CAD|AUD|CNY|INR)\b", r"([$\u20ac\u00a3\u00a5])"),
    _rule("colour color", r"(?i)\b(red|orange|yellow|green|blue|purple|pink|brown|black|white|gr[ae]y|gold|silver)\b"),
    _rule(
        "expression formula equation calculation",
        r"((?:\(\s*)*-?\d+(?:\.\d+)?(?:\s*\)|\s*(?:[-+*/^%]|\*\*)\s*\(?\s*-?\d+(?:\.\d+)?)+\)*)",
    ),
    _rule("language", r"\b(?:to|into|in) ([A-Z][a-z]+)"),
    _rule(
        "title book movie song company organization organisation brand restaurant hotel shop store",
        rf"(?i:\b(?:called|titled|named|entitled)) ({PROPER})",
        rf"\b(?:at|by|for) ({PROPER})",
        guessed=(rf"\b[a-z][\w',]* ({PROPER})",),
    ),
    _rule(
        "product item dish article good",
        r"(?i)\b(?:buy|order|purchase|add|want|need)\s+(?:an?|the|some|\d+|two|three|four|five)?\s*"
        r"([a-z][a-z -]*?)(?=\s+(?:for|to|from|and|at|with)\b|[.,?!]|$)",
        guessed=(rf"\b[a-z][\w',]* ({PROPER})",),
    ),
    _rule(
        "name person user username author customer employee patient student owner assignee recipient contact speaker",
        rf"(?i:\b(?:named|called|name is|name's|names are|i am|i'm|this is|meet)) ({PROPER})",
        rf"\b(?:by|with|to|from|for|user|author|customer|employee|patient|student) ({PROPER})",
        guessed=(rf"({PROPER})",),
    ),
    _rule("id identifier code key number sku isbn", r"(#?\b(?=[\w-]*\d)[A-Za-z][\w-]*\b|\b\d{3,}\b)"),
    _rule(
        "topic subject theme",
        r"(?i)\b(?:about|on|regarding|concerning)\s+(?:the )?([^.?!\n]+)",
        guessed=(r"(?s)^\s*(.+?)\s*[.?!]*\s*$",),
    ),
    _rule(
        "query question search keyword term q prompt input",
        r"(?i)\b(?:search(?:es|ing)?|look(?:ing)?(?: it| that)? up|look|query)\b[^.?!\n]*?\b(?:for"
        r"|about)\s+([^.?!\n]+)",
        guessed=(r"(?s)^\s*(.+?)\s*$",),
    ),
    _rule(
        "answer response summary result explanation reasoning reason reply output description content text"
        " message body",
        is_reply=True,
    ),
)

OPENERS: Final = frozenset(
    words("""
    add answer ask book buy calculate call cancel check compare compute convert create delete describe email explain
    extract fetch find get give help hello hi hey invite list look make meet message multiply open order plan please
    provide read remind reply run save schedule search send set show start summarize summarise tell text translate turn
    update use write the a an i my our monday tuesday wednesday thursday friday saturday sunday""")
)
"""Words that open a sentence with a capital letter and are no names, in lower case."""
