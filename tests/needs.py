"""What some tests need beyond the group `test`, and how a run is told that it must be there.

A missing thing skips the test with a sentence that says how to get it. `AIGW_TESTS_REQUIRE=programs` (or
`programs,modules`) makes every such skip a failure. Programs are the machine's: a browser, a server, Node and its
packages. Modules are Python's, from an environment of their own.
"""

from __future__ import annotations

import importlib
import os
import shutil
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

_REQUIRED = frozenset(os.environ.get("AIGW_TESTS_REQUIRE", "").replace(",", " ").split())
_KINDS = frozenset({"programs", "modules"})
if unknown := _REQUIRED - _KINDS:
    raise pytest.UsageError(f"AIGW_TESTS_REQUIRE takes {sorted(_KINDS)}, not {sorted(unknown)}")


class Require:
    """Gives what is needed; where it is missing, skips a test, a fixture's tests or a module."""

    def program(self, name: str, *, how: str) -> str:
        """Give the path of the program `name`."""
        return shutil.which(name) or self._missing("programs", name, how)

    def path(self, path: Path, *, how: str) -> Path:
        """Give `path`, which some program has to make, such as a folder of Node's packages."""
        return path if path.exists() else self._missing("programs", path.name, how)

    def module(self, name: str, *, how: str) -> ModuleType:
        """Import the module `name`."""
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not error.name or not f"{name}.".startswith(f"{error.name}."):
                raise
            return self._missing("modules", name, how)

    def _missing(self, kind: str, name: str, how: str) -> NoReturn:
        message = f"{name} is missing; to have it: {how}"
        if kind in _REQUIRED:
            pytest.fail(message, pytrace=False)
        pytest.skip(message, allow_module_level=True)


require = Require()
