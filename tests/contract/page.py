"""The contract as a page: `python -m tests.contract.page` writes `docs/contract.md` from the rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .rules.all_sections import RULES, SECTIONS

if TYPE_CHECKING:
    from .rules.rule import Rule, Section

PAGE: Final = Path(__file__).parents[2] / "docs" / "contract.md"

_INTRODUCTION: Final = """\
# The contract

What this project knows of Cloudflare AI Gateway's HTTP contract, rule by rule. Each rule is a test of the same name
(`tests/contract/`), asked of the local gateway over HTTP, or of our client on it.

How a rule is known:

- **documented** ({documented}): by Cloudflare's documentation, its API reference, or code that Cloudflare publishes;
- **observed** ({observed}): seen of the real service by somebody, on one account, or so named by others;
- **guess** ({guess}): nobody tells. This is the local gateway's choice, the careful one; Cloudflare may do otherwise,
  and our client takes either.

This page is written by `python -m tests.contract.page`. Change the rules, and not this page.
"""


def contract_page() -> str:
    """Write the page."""
    known = Counter(rule.known for rule in RULES)
    parts = [_INTRODUCTION.format_map(known), *(_section(section) for section in SECTIONS)]
    return "\n".join(parts)


def _section(section: Section) -> str:
    head = [f"## {section.number} {section.title}", ""]
    about = [section.about, ""] if section.about else []
    return "\n".join([*head, *about, "| Rule | Known | Case |", "|---|---|---|", *map(_row, section.rules), ""])


def _row(rule: Rule) -> str:
    sentence = rule.sentence.replace("|", "\\|")
    return f"| {sentence} | {rule.known} | `{rule.id}` |"


if __name__ == "__main__":
    PAGE.write_text(contract_page(), encoding="utf-8")
