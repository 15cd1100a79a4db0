"""The versions of the log store's file, and how an older one becomes today's."""

from __future__ import annotations

from typing import Final

from aigw.local._logs_schema import FACETS, SCHEMA, TIMES, TRIGGERS
from aigw.local._logs_values import VALUES

VERSION: Final = 4
"""Today's, kept in `PRAGMA user_version`."""

_STEPS: Final = (
    (range(1), SCHEMA.split(";")),
    (range(3), FACETS),
    (range(3, 4), TIMES),
    (range(4), (*TRIGGERS, *VALUES)),
)


def upgrade(version: int) -> list[str]:
    """Give the statements that make today's file from one of a version; 0 is an empty one."""
    statements = [statement for versions, step in _STEPS if version in versions for statement in step]
    return [*statements, f"PRAGMA user_version = {VERSION}"] if statements else []
