"""The contract, rule by rule: each case is called as its rule is in `docs/contract.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .rules.all_sections import RULES
from .rules.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .rules.rule import Rule


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with World() as world:
        yield world


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_gateway_keeps_the_rule(rule: Rule, world: World):
    rule.check(world)
