"""The page of the command line says what the code does: every cause of the doctor, every exit code, every command."""

import ast
import re
from pathlib import Path

import aigw.cli.doctor
from aigw.cli._app import app
from aigw.cli._exit_codes import ExitCode

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")


def documented_causes():
    rows = [line for line in PAGE.partition("## The doctor")[2].splitlines() if line.startswith("| `")]
    return {cause for row in rows for cause in re.findall(r"`([a-z_]+)`", row.split("|")[1])}


def causes_in_the_code():
    """Every text that stands first in a `fail(...)` or `warn(...)`, or in a row of a table that leads to one."""
    folder = Path(aigw.cli.doctor.__file__).parent
    found = set()
    for file in folder.glob("_*_checks.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names_one = isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("fail", "warn") and node.args
            row = node.elts if isinstance(node, ast.Tuple) else node.args if names_one else []
            first = row[0].value if row and isinstance(row[0], ast.Constant) else None
            if isinstance(first, str) and len(row) >= 3 and re.fullmatch(r"[a-z]+(_[a-z]+)+", first):
                found.add(first)
    return found


def test_every_cause_of_the_doctor_is_on_the_page_and_none_more():
    assert documented_causes() == causes_in_the_code()
    assert len(documented_causes()) >= 12


def test_every_cause_of_the_doctor_is_provoked_by_a_test():
    tests = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_cli_doctor*.py"))
    assert [cause for cause in sorted(documented_causes()) if f'"{cause}"' not in tests] == []


def test_every_exit_code_is_on_the_page():
    table = PAGE.partition("| Exit code |")[2].partition("\n\n")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) ", table, re.MULTILINE)] == [int(code) for code in ExitCode]


def test_every_command_is_on_the_page():
    names = [command.name for command in app.registered_commands]
    assert names == ["local", "doctor", "url", "run", "chat", "feedback", "score", "cost"]
    assert all(f"`cf-aigw {name}" in PAGE or f"$ cf-aigw {name}" in PAGE for name in names)
