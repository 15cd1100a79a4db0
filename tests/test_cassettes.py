"""The cassettes themselves: no secret in any, and a test for each."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from vcr.request import Request

from .conftest import same_body

ROOT = Path(__file__).parents[1]
CASSETTES = sorted((ROOT / "cassettes").rglob("*.yaml"))
SECRETS = {
    "a bearer token": re.compile(r"Bearer\s+(?!REDACTED)\S+", re.IGNORECASE),
    "a provider key": re.compile(r"\bsk-[A-Za-z0-9_-]{8,}"),
    "an account id": re.compile(
        r"(?<=/accounts/)(?!0{32}/)[^/\s]+|(?<=gateway\.ai\.cloudflare\.com/v1/)(?!0{32}/)[^/\s]+"
    ),
    "a machine's address": re.compile(r"127\.0\.0\.1|localhost"),
}
CREDENTIAL_HEADERS = {
    "authorization",
    "cf-aig-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
    "set-cookie",
}


def recorded_tests() -> set[str]:
    """Name every test with the `vcr` mark as its cassette is named."""
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        module_marked = "pytest.mark.vcr" in "".join(
            ast.unparse(node)
            for node in tree.body
            if isinstance(node, ast.Assign) and "pytestmark" in ast.unparse(node)
        )
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                marks = [ast.unparse(mark) for mark in node.decorator_list]
                if module_marked or "pytest.mark.vcr" in marks:
                    found.add(f"{path.parent.name}/{path.stem}/{node.name}")
    return found


def name(cassette: Path) -> str:
    return cassette.relative_to(ROOT / "cassettes").with_suffix("").as_posix()


@pytest.mark.parametrize("cassette", CASSETTES, ids=name)
@pytest.mark.parametrize("kind", SECRETS)
def test_no_cassette_holds_a_secret(cassette: Path, kind: str):
    assert not SECRETS[kind].findall(cassette.read_text("utf-8"))


@pytest.mark.parametrize("cassette", CASSETTES, ids=name)
def test_every_credential_header_of_a_cassette_is_redacted(cassette: Path):
    interactions = yaml.safe_load(cassette.read_text("utf-8"))["interactions"]

    values = [
        value
        for interaction in interactions
        for part in ("request", "response")
        for header, value in interaction[part]["headers"].items()
        if header.lower() in CREDENTIAL_HEADERS
    ]

    assert interactions
    assert all(value in (["REDACTED"], "REDACTED") for value in values)


def test_every_recorded_test_has_a_cassette_and_every_cassette_a_test():
    assert recorded_tests() == {name(cassette) for cassette in CASSETTES}


def test_every_folder_of_cassettes_says_where_they_come_from():
    areas = {cassette.relative_to(ROOT / "cassettes").parts[0] for cassette in CASSETTES}

    assert areas
    assert all(
        "recorded from" in (ROOT / "cassettes" / area / "README.md").read_text("utf-8").lower() for area in areas
    )


def asked(body: str | None) -> Request:
    return Request("GET" if body is None else "POST", "https://api.cloudflare.com/", body, {})


def test_no_body_and_an_empty_one_are_the_same():
    same_body(asked(""), asked(None))


@pytest.mark.parametrize("other", ['{"model":"b"}', "", None])
def test_two_bodies_are_not_the_same(other: str | None):
    with pytest.raises(AssertionError):
        same_body(asked('{"model":"a"}'), asked(other))
