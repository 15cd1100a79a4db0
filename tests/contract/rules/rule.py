"""What a rule of the contract is: one sentence of ours, how it is known, and the case that asks for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from .world import World

Known = Literal["documented", "observed", "guess"]
"""`documented`: Cloudflare's docs, API reference or published code; `observed`: seen of the real service by someone;
`guess`: nobody tells, and this is the careful choice of the local gateway."""

Check = Callable[["World"], None]

DOCUMENTED: Known = "documented"
OBSERVED: Known = "observed"
GUESS: Known = "guess"

_NOT_A_WORD: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        section: The section's number.
        name: The rule's name within it, as words with hyphens.
        sentence: What holds.
        known: How it is known.
        check: Asks a running gateway for it; fails with an AssertionError.
    """

    section: str
    name: str
    sentence: str
    known: Known
    check: Check

    @property
    def id(self) -> str:
        """The case's name, such as `s3.1-skip-cache-bypasses-the-read`: lower-case words with hyphens."""
        return f"s{self.section}-{_NOT_A_WORD.sub('-', self.name.lower()).strip('-')}"


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the contract, filled by its module.

    Attributes:
        number: Such as `3.1`.
        title: Its title.
        about: What the section is about, for the page.
        rules: Its rules in order.
    """

    number: str
    title: str
    about: str = ""
    rules: list[Rule] = field(default_factory=list)

    def add(self, name: str, sentence: str, known: Known, check: Check) -> None:
        """Add a rule whose case is data."""
        self.rules.append(Rule(self.number, name, sentence, known, check))

    def rule(self, name: str, sentence: str, known: Known) -> Callable[[Check], Check]:
        """Add a rule whose case is a function."""

        def add(check: Check) -> Check:
            self.add(name, sentence, known, check)
            return check

        return add
