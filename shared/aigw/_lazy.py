"""Names of a package that are imported when they are first asked for, so that who needs one does not pay for all."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazy(
    package: str, modules: Mapping[str, str], extras: Mapping[str, str] | None = None, *, home: str = ""
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the `__getattr__` and the `__dir__` of a package.

    Args:
        package: Its full name.
        modules: By public name: the module that has it, below the package.
        extras: By library that may be missing: the extra of `aigw` that brings it.
        home: The package the modules are in, when it is another.
    """

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            value = getattr(import_module(f"{home or package}.{modules[name]}"), name)
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing not in (extras or {}):
                raise
            message = f'{package}.{name} needs {missing}: pip install "aigw[{extras[missing]}]"'  # type: ignore[index]
            raise ModuleNotFoundError(message, name=error.name) from error
        vars(sys.modules[package])[name] = value
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules})

    return get, names
