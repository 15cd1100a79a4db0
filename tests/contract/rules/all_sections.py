"""Every section of the contract, in order. A long one has several modules, which all fill the same section."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .rule import Rule, Section

_MODULES: Final = sorted(
    (path.stem for path in Path(__file__).parent.glob("s[0-9]*.py")),
    key=lambda name: ([int(part) for part in name[1:].split("_") if part.isdigit()], name),
)

_FOUND: Final = [getattr(import_module(f".{name}", __package__), "SECTION", None) for name in _MODULES]

SECTIONS: Final[list[Section]] = list({section.number: section for section in _FOUND if section}.values())
RULES: Final[list[Rule]] = [rule for section in SECTIONS for rule in section.rules]
