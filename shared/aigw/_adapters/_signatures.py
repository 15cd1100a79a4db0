"""Signatures that `inspect` finds at once, of methods whose framework asks for theirs at every call."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def with_known_signature(method: F, like: Callable[..., Any] | None = None) -> F:
    """Have `inspect` read a method's signature once, bound and unbound; give the method back.

    Args:
        method: A function that becomes a method.
        like: Whose signature it has; else its own.
    """
    known = inspect.signature(method if like is None else like)
    signature = _KnownSignature(list(known.parameters.values()), return_annotation=known.return_annotation)
    method.__signature__ = signature  # type: ignore[attr-defined]  # where `inspect` looks first
    return method


class _KnownSignature(inspect.Signature):
    """A signature that remembers what it is without `self`, as `inspect` has it made for a bound method."""

    __slots__ = ("_bound", "_rest")

    def __init__(self, parameters: list[inspect.Parameter], *, return_annotation: Any) -> None:
        super().__init__(parameters, return_annotation=return_annotation)
        self._rest = tuple(parameters[1:])
        self._bound = inspect.Signature(self._rest, return_annotation=return_annotation)

    def replace(self, *, parameters: Any = None, **changed: Any) -> Any:
        if parameters == self._rest and not changed:
            return self._bound
        plain = self._plain()
        return plain.replace(**changed) if parameters is None else plain.replace(parameters=parameters, **changed)

    def __reduce__(self) -> Any:
        return self._plain().__reduce__()

    def _plain(self) -> inspect.Signature:
        return inspect.Signature(tuple(self.parameters.values()), return_annotation=self.return_annotation)
