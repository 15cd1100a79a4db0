"""The page on testing: every block of it is a project's test file, and passes."""

import re
from pathlib import Path

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
PLUGINS = ("aigw.local.pytest_plugin", "pytest_socket", "pytest_asyncio.plugin")
OPTIONS = (
    "--strict-markers",
    "-W",
    "error",
    "-o",
    "asyncio_mode=auto",
    "-o",
    "asyncio_default_fixture_loop_scope=function",
)


def test_every_block_of_the_page_is_a_test_file_that_passes(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    pytester.makepyfile(**{f"test_block_{number:02}": block for number, block in enumerate(blocks)})
    tests = sum(len(re.findall(r"^(?:async )?def test_", block, re.MULTILINE)) for block in blocks)
    plugins = [word for plugin in PLUGINS for word in ("-p", plugin)]

    done = pytester.runpytest_subprocess("--allow-hosts=127.0.0.1", *plugins, *OPTIONS)

    done.assert_outcomes(passed=tests)
    assert all("def test_" in block for block in blocks)
    assert len(blocks) >= 10
