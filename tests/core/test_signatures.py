"""A method whose signature is known must look to `inspect` as any other does."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

from aigw.integration import with_known_signature


class Plain:
    def ask(self, text: str, *more: int, stop: str | None = None, **rest: bool) -> list[str]:
        raise NotImplementedError


def _ask(self, *arguments, **keywords):
    raise NotImplementedError


class Known:
    ask = with_known_signature(_ask, Plain.ask)


class Renamed:
    @with_known_signature
    def ask(self) -> None:
        raise NotImplementedError


@pytest.mark.parametrize("of", [lambda kind: kind.ask, lambda kind: kind().ask], ids=["unbound", "bound"])
def test_it_is_the_signature_of_the_method_it_is_like(of):
    assert inspect.signature(of(Known)) == inspect.signature(of(Plain))
    assert str(inspect.signature(of(Known))) == str(inspect.signature(of(Plain)))


def test_a_method_without_parameters_has_none_when_bound():
    assert str(inspect.signature(Renamed().ask)) == "() -> 'None'"


@pytest.mark.parametrize(
    "changed", [{"return_annotation": int}, {"parameters": []}, {"parameters": [], "return_annotation": 1}, {}]
)
def test_it_can_be_replaced_in_part(changed):
    assert inspect.signature(Known.ask).replace(**changed) == inspect.signature(Plain.ask).replace(**changed)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])  # noqa: S301 -- our own
def test_it_can_be_copied(again):
    known = inspect.signature(Known.ask)
    assert again(known) == known
