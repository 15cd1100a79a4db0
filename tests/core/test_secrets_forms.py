"""No error repeats a credential, in whatever form the server wrote it, and wherever the caller had put it."""

from __future__ import annotations

import html
import json
import os
import string
import time
import urllib.parse

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aigw import ResponseInfo
from aigw._account import Account
from aigw._calls import _universal
from aigw._error_bodies import error_from_response, hide
from aigw._http import Headers, Request, Response

KEYS = [
    "own-key-0123456789",
    "own+key/0123456789==",
    'own"key\\0123456789',
    "a&b<c>d'e%f g\\\"h",
    "/////////",
    "kéy/€-0123",
]
FORMS = {
    "plain": lambda text: text,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON of text that is not ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON for HTML": lambda text: "".join(f"\\u{ord(each):04x}" if each in "&<>'\"+/=" else each for each in text),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "a part of a URL": lambda text: urllib.parse.quote(text, safe=""),
    "a path": urllib.parse.quote,
    "a URL in small letters": lambda text: urllib.parse.quote(text, safe="").lower() if text.islower() else text,
    "a URL in a URL": lambda text: urllib.parse.quote(urllib.parse.quote(text, safe=""), safe=""),
    "HTML": html.escape,
    "HTML in numbers": lambda text: "".join(each if each.isalnum() else f"&#{ord(each)};" for each in text),
    "HTML in HTML": lambda text: html.escape(html.escape(text)),
}
EXAMPLES = 3000 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 200
SPECIAL = st.sampled_from("\"\\/&<>'%+= \\\\:;,{}[]()*?.^$|#")
TEXTS = st.text(st.sampled_from(string.ascii_letters + string.digits + "-_.~") | SPECIAL, min_size=6, max_size=20)
STEP = {"provider": "openai", "endpoint": "x", "query": {}}
SECRET = "own-key-0123456789"
SECRET_HEADERS = [
    "api-key", "Authorization", "cf-access-client-secret", "cf-aig-authorization", "Cookie", "payment-signature",
    "proxy-authorization", "set-cookie", "x-api-key", "x-goog-api-key", "xi-api-key",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", KEYS)
def test_a_secret_is_taken_out_in_every_form(key, form):
    said = FORMS[form](key)

    assert hide(f"bad key {said} given", [key]) == "bad key *** given"


@settings(derandomize=EXAMPLES < 1000, database=None, deadline=None, max_examples=EXAMPLES)
@given(TEXTS, st.sampled_from(list(FORMS)), st.booleans())
@example(key='\\\\\\"/"', form="JSON in JSON", is_json=True)
def test_no_secret_at_all_is_seen_in_an_error(key, form, is_json):
    said = FORMS[form](key)
    body = json.dumps({"error": {"message": f"<{said}>", said: [said]}}) if is_json else f"<<{said}>>"
    answer = Response(401, Headers(), body.encode())

    error = error_from_response(answer, ResponseInfo(), secrets=[key])
    told = f"{error.message} {error.body} {json.dumps(error.body)}"
    assert said not in told.replace("***", "\0")
    assert key not in told.replace("***", "\0")


def test_the_longest_secret_goes_first():
    assert hide("key-123456-and-more", ["key-123456", "key-123456-and-more"]) == "***"


def test_text_that_is_nearly_a_secret_is_searched_in_no_time():
    began = time.process_time()
    for text in ("\\" * 300_000, "%25" * 100_000, "&amp;" * 60_000, '\\"' * 100_000):
        assert (
            hide(text, ['\\"\\"\\"\\"\\"\\"\\"x', '"""""""""""""x', "%%%%%%%%%x", "&&&&&&&&&&x", "\\" * 20 + "x"])
            == text
        )
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", f"Bearer {SECRET}"),
        ("Authorization", f"Bearer  {SECRET} "),
        ("authorization", f"bearer {SECRET}"),
        ("Authorization", f"Basic {SECRET}"),
        ("Authorization", f"Key {SECRET}"),
        ("Authorization", f'Digest username="ann", response="{SECRET}"'),
        ("Authorization", f"AWS4-HMAC-SHA256 Credential=AKIA/x, Signature={SECRET}"),
        ("Cookie", f"theme=dark; session={SECRET}"),
        ("X-Auth", SECRET),
        ("x-custom-secret", SECRET),
        ("x-amz-security-token", SECRET),
        ("password", SECRET),
        *((name, SECRET) for name in SECRET_HEADERS),
    ],
)
def test_the_credential_of_a_steps_header_is_known(name, value):
    call = _universal.run_steps(Account("acct", "cf-token"), {}, [{**STEP, "headers": {name: value}}])

    error = call.error(Response(401, Headers(), json.dumps({"error": f"bad {SECRET}!"}).encode()), ResponseInfo())
    assert error.body == {"error": "bad ***!"}


@pytest.mark.parametrize("name", ["key", "api_key", "access_token", "sig", "X-Amz-Signature"])
def test_the_credential_of_a_steps_endpoint_is_known(name):
    step = {**STEP, "endpoint": f"models/x:generate?alt=sse&{name}={SECRET.replace('-', '%2d')}"}
    call = _universal.run_steps(Account("acct", "cf-token"), {}, [step])

    assert hide(f"bad {SECRET}", call.secrets) == "bad ***"
    assert hide("models/x alt=sse", call.secrets) == "models/x alt=sse"


def test_what_is_no_credential_of_a_step_is_told():
    step = {**STEP, "headers": {"content-type": "application/json", "x-label": "production"}}

    assert _universal.run_steps(Account("acct", "cf-token"), {}, [step]).secrets == ("cf-token",)


@pytest.mark.parametrize("name", SECRET_HEADERS)
def test_no_repr_shows_a_header_that_holds_a_secret(name):
    pairs = ((name.title(), SECRET), ("x-label", "shown"))

    for shown in (repr(Headers(pairs)), repr(Request("POST", "http://x", pairs))):
        assert SECRET not in shown
        assert "shown" in shown
