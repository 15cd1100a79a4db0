"""The modes as a whole: their names, their number, and the page they are written on."""

from __future__ import annotations

import re
from collections import Counter

from .modes.all_modes import MODES
from .page import PAGE, reliability_page


def test_every_mode_has_a_name_of_its_own_and_says_what_it_does():
    assert [name for name, times in Counter(mode.name for mode in MODES).items() if times > 1] == []
    assert [mode.name for mode in MODES if not re.fullmatch(r"[a-z0-9.-]+", mode.name) or "|" in mode.does] == []


def test_every_mode_is_asked_for_something():
    assert [mode.name for mode in MODES if mode.whole is None and mode.stream is None] == []


def test_there_are_many_modes():
    assert len(MODES) >= 60


def test_the_page_is_up_to_date():
    """Else: `python -m tests.faults.page`."""
    assert PAGE.read_text(encoding="utf-8") == reliability_page()
