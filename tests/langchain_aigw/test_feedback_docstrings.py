"""The examples in the docstrings of the callback, of `capture_logs` and of `get_cost_callback` run."""

from pathlib import Path

import pytest
from pytest_examples import CodeExample, EvalExample, find_examples

import langchain_aigw

PACKAGE = Path(langchain_aigw.__file__).parent
EXAMPLES = [*find_examples(PACKAGE / "callbacks.py"), *find_examples(PACKAGE / "_captured.py")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.path.name)
def test_an_example_of_a_docstring_runs(
    example: CodeExample, eval_example: EvalExample, local_fields, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AIGW_BASE_URL", local_fields["base_url"])
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acct")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "test-token")
    eval_example.run(example)


def test_every_docstring_has_an_example():
    assert len(EXAMPLES) == 3
