"""The gateway's OpenAPI description: it is valid, says what is there, and holds for made-up requests."""

import os
import re
from collections.abc import Iterator

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from aigw.local import LocalGateway
from aigw.local._openapi._document import describe
from aigw.local._openapi._operations import OPERATIONS
from aigw.local._routes import OPENAPI_PATH, find_target

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
IS_DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
EXAMPLES = 400 if IS_DEEP else 8
TOKEN = {"authorization": "Bearer t"}


def described():
    """Describe the gateway without bugs, and without the answers of providers behind it, for there are none here."""
    description = describe()
    for path in description["paths"].values():
        for operation in path.values():
            operation["responses"].pop("default", None)
            operation["responses"].pop("500", None)
    return description


config = schemathesis.Config.from_dict({"phases": {"coverage": {"enabled": IS_DEEP}}})
schema = schemathesis.openapi.from_dict(described(), config=config)


@pytest.fixture(scope="module")
def running() -> Iterator[LocalGateway]:
    with LocalGateway() as running:
        yield running


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=not IS_DEEP,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_what_is_described_is_what_is_answered(case, running, session):
    case.headers.pop("cf-aig-cache-key", None)  # by one key of the caller's own, one operation gets another's answer
    case.call_and_validate(base_url=running.base_url, session=session, headers=TOKEN, checks=CHECKS, timeout=5)
    reply = session.get(f"{running.base_url}/client/v4/accounts/plain/ai-gateway/gateways/gw/url", headers=TOKEN)
    assert reply.status_code == 200


def test_the_description_is_valid_openapi():
    schemathesis.openapi.from_dict(describe()).validate()


def test_the_description_is_served(running):
    reply = httpx.get(running.base_url + OPENAPI_PATH)
    assert (reply.status_code, reply.json()) == (200, describe())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_every_operation_leads_where_its_path_leads(operation):
    path = re.sub(r"\{(\w+)\}", r"\1", operation.path).replace("/model", "/@cf/a/b")
    target = find_target(operation.method.upper(), path)
    assert (target.kind, target.host == "rest") == (operation.kind, not operation.path.startswith("/v1/"))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_every_operation_has_a_name_of_its_own(operation):
    names = [one["operationId"] for path in describe()["paths"].values() for one in path.values()]
    assert len(set(names)) == len(names) == len(OPERATIONS)
    assert operation.summary
