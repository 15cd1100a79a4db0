"""The rules as a whole: their names, their number, and the page they are written on."""

from __future__ import annotations

import re
from collections import Counter

from .page import PAGE, contract_page
from .rules.all_sections import RULES, SECTIONS

NUMBERS = [
    *("1.1", "1.2", "1.3", "1.4", "1.5", "2.1", "2.2", "2.3", "3.1", "3.2"),
    *("4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10", "5", "6.1", "6.2", "7", "8"),
]


def test_every_section_has_rules_in_order():
    assert [section.number for section in SECTIONS] == NUMBERS
    assert all(section.rules for section in SECTIONS)


def test_every_rule_has_a_name_of_its_own():
    assert [name for name, times in Counter(rule.id for rule in RULES).items() if times > 1] == []
    assert [rule.id for rule in RULES if not re.fullmatch(r"s\d+(\.\d+)?(-[a-z0-9]+)+", rule.id)] == []


def test_every_rule_is_a_sentence():
    odd = [rule.id for rule in RULES if not re.fullmatch(r"[A-Z`0-9].*\.", rule.sentence)]
    assert odd == []


def test_there_are_many_rules():
    assert len(RULES) >= 250


def test_the_page_is_up_to_date():
    """Else: `python -m tests.contract.page`."""
    assert PAGE.read_text(encoding="utf-8") == contract_page()
