"""The examples in the docstrings of the chat model and of the embeddings run, one after the other."""

from pathlib import Path

import pytest
from pytest_examples import EvalExample, find_examples

import langchain_aigw

PACKAGE = Path(langchain_aigw.__file__).parent


@pytest.mark.parametrize(("module", "count"), [("chat_models.py", 9), ("embeddings.py", 1)])
def test_the_examples_of_a_docstring_run(module, count, eval_example: EvalExample, local_fields, monkeypatch):
    monkeypatch.setenv("AIGW_BASE_URL", local_fields["base_url"])
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acct")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "test-token")
    examples = list(find_examples(PACKAGE / module))
    names = {}
    for example in examples:
        names |= eval_example.run(example, module_globals=names)
    assert len(examples) == count
