"""Every Python block of the documentation runs, against the local gateway."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_examples import CodeExample, EvalExample, find_examples

ROOT = Path(__file__).parents[2]
BLOCKS = [*find_examples(ROOT / "README.md"), *find_examples(ROOT / "docs")]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.path.name}:{block.start_line}")
def test_a_code_block_of_the_documentation_runs(
    block: CodeExample, eval_example: EvalExample, aigw_local, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    if not block.prefix_tags() & {"python", "py"}:
        pytest.fail(f"{block.path.name}:{block.start_line} is Python to pytest-examples and has no python tag")
    monkeypatch.chdir(tmp_path)  # where a block's files go
    monkeypatch.setenv("AIGW_BASE_URL", aigw_local.base_url)
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "test-token")

    eval_example.run(block)


def test_the_documentation_has_code_blocks():
    assert len(BLOCKS) >= 8
