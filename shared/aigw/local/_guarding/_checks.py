"""The built-in checks of guardrails and DLP: lists of words and patterns, and no model.

A check is any callable that takes a text and gives the names it found there: hazard categories for guardrails, profile
ids for DLP. The built-in guardrails find each category by a marker (`unsafe-s1` to `unsafe-s13`, `unsafe-p1`), which a
test can ask for, and by a few plain phrases; they protect nobody. The built-in DLP finds what has a form of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from aigw._given import shown
from aigw.local._arguments import check_callable, read_dict
from aigw.local._settings._readers import CATEGORIES

Check = Callable[[str], Collection[str]]
"""Takes a text, gives the names found in it."""

GUARDRAIL_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    **{name: (f"unsafe-{name.lower()}",) for name in CATEGORIES},
    "S1": ("unsafe-s1", "how to murder", "how to kill someone"),
    "S9": ("unsafe-s9", "how to build a bomb", "how to make a bomb"),
    "P1": ("unsafe-p1", "ignore all previous instructions", "ignore previous instructions"),
}
"""The built-in words by hazard category."""

DLP_PATTERNS: Final[Mapping[str, str]] = {
    "credit-cards": r"(?<!\d)(?:\d[ -]?){13,18}\d(?!\d)",
    "us-social-security-numbers": r"(?<!\d)(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?!\d)",
    "secrets": r"\b(?:sk-[\w-]{20,}|AKIA[0-9A-Z]{16}|ghp_\w{36})|-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "email-addresses": r"\b[\w.+-]+@[\w-]+\.[\w.-]*\w",
    "test": r"\bdlp-test\b",
}
"""The built-in patterns by profile id."""


def find_words(lists: Mapping[str, Iterable[str]]) -> Check:
    """Make a check that looks for whole words and phrases, in any letter case.

    Args:
        lists: The words of each name.

    Raises:
        ValueError: It is no dict of lists of words.
    """
    return find_patterns({name: _any_of(name, words) for name, words in read_dict("lists", lists).items()})


def find_patterns(patterns: Mapping[str, str]) -> Check:
    """Make a check that looks for regular expressions, in any letter case.

    Args:
        patterns: The expression of each name.

    Raises:
        ValueError: It is no dict of regular expressions.
    """
    compiled = {name: _compile(name, pattern) for name, pattern in read_dict("patterns", patterns).items()}
    return lambda text: [name for name, pattern in compiled.items() if pattern.search(text)]


def read_checks(guardrail_check: Check | None, dlp_check: Check | None) -> tuple[Check, Check]:
    """Give the checks of guardrails and of DLP: the built-in one where none is given.

    Raises:
        ConfigurationError: One cannot be called.
    """
    return (
        check_callable("guardrail_check", built_in_guardrails() if guardrail_check is None else guardrail_check),
        check_callable("dlp_check", built_in_dlp() if dlp_check is None else dlp_check),
    )


def built_in_guardrails() -> Check:
    """Make the built-in check of guardrails."""
    return find_words(GUARDRAIL_WORDS)


def built_in_dlp() -> Check:
    """Make the built-in check of DLP; card numbers count when their check digit is right."""
    find = find_patterns(DLP_PATTERNS)
    cards = re.compile(DLP_PATTERNS["credit-cards"])

    def check(text: str) -> list[str]:
        found = list(find(text))
        if "credit-cards" in found and not any(map(_is_card, cards.findall(text))):
            found.remove("credit-cards")
        return found

    return check


def _any_of(name: str, words: Any) -> str:
    given = [*words] if isinstance(words, Iterable) and not isinstance(words, str) else words
    if not isinstance(given, list) or not all(isinstance(word, str) for word in given):
        raise ValueError(f"lists[{shown(name)}]: expected a list of words; got {shown(given)}")
    return "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in given) or r"(?!)"


def _compile(name: str, pattern: Any) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except (re.error, TypeError) as error:
        raise ValueError(
            f"patterns[{shown(name)}]: expected a regular expression; got {shown(pattern)} ({error})"
        ) from error


def _is_card(text: str) -> bool:
    digits = [int(letter) for letter in text if letter.isdigit()][::-1]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
