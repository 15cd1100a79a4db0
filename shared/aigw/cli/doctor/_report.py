"""What the doctor says: the findings of all checks, their exit code, a table or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from aigw._origins import without_secrets
from aigw.cli._exit_codes import ExitCode
from aigw.cli.doctor._answer_checks import ANSWER_CHECKS
from aigw.cli.doctor._facts import SKIPPED
from aigw.cli.doctor._host_checks import HOST_CHECKS
from aigw.cli.doctor._setup_checks import SETUP_CHECKS

if TYPE_CHECKING:
    from rich.text import Text

    from aigw.cli._output import Output
    from aigw.cli.doctor._facts import Check, Facts, Finding

CHECKS: Final = (*SETUP_CHECKS, *HOST_CHECKS, *ANSWER_CHECKS)
"""Every check, in the order in which causes come before their effects."""

_STYLES: Final = {"ok": "green", "warn": "yellow", "fail": "bold red", "skip": "dim"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings on one setup.

    Attributes:
        facts: What was looked at.
        findings: Each check with what it found.
    """

    facts: Facts
    findings: tuple[tuple[Check, Finding], ...]

    @property
    def exit_code(self) -> ExitCode:
        """The class of the first failure, which is mostly the cause of those after it."""
        return next((finding.exit_code for _, finding in self.findings if finding.status == "fail"), ExitCode.OK)

    def _is_ok(self, name: str) -> bool:
        return any(check.name == name and finding.status == "ok" for check, finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON, with the same keys always."""
        setup = self.facts.setup
        return {
            "ok": self.exit_code == ExitCode.OK,
            "exit_code": int(self.exit_code),
            "account_id": setup.account_id if self._is_ok("account_id") else None,
            "gateway_id": setup.gateway_id,
            "base_url": without_secrets(setup.base_url) or None,
            "checks": [_row(check, finding) for check, finding in self.findings],
        }


def diagnose(facts: Facts) -> Diagnosis:
    """Look at the facts with every check."""
    return Diagnosis(facts, tuple((check, check.look(facts) or SKIPPED) for check in CHECKS))


def diagnosis_table(diagnosis: Diagnosis, output: Output) -> Table:
    """Lay a diagnosis out for a terminal."""
    has_advice = any(finding.fix for _, finding in diagnosis.findings)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", expand=has_advice)
    table.add_column("", no_wrap=True, width=4)
    table.add_column("CHECK", no_wrap=True, width=14)
    table.add_column("RESULT", ratio=4 if has_advice else None, overflow="fold")
    if has_advice:
        table.add_column("WHAT TO DO", ratio=5, overflow="fold")
    for check, finding in diagnosis.findings:
        if finding is not SKIPPED:
            table.add_row(*_cells(check, finding, output)[: len(table.columns)])
    return table


def summary(diagnosis: Diagnosis) -> str:
    """Give the last line."""
    counts = [finding.status for _, finding in diagnosis.findings]
    failed, warned = counts.count("fail"), counts.count("warn")
    if not failed:
        return "All is well." if not warned else f"It works, with {warned} {_plural(warned, 'remark')}."
    skipped = sum(finding is SKIPPED for _, finding in diagnosis.findings)
    first = "; begin with the first, it may be the cause of the others" if failed > 1 else ""
    more = f" {skipped} {_plural(skipped, 'check')} could not be made yet." if skipped else ""
    return f"{failed} {_plural(failed, 'thing')} to mend{first}.{more}"


def _cells(check: Check, finding: Finding, output: Output) -> tuple[Text, ...]:
    dim = "dim" if finding.status == "skip" else ""
    return (
        output.cell(finding.status, _STYLES[finding.status]),
        output.cell(check.title, dim),
        output.cell(finding.result, dim),
        output.cell(finding.fix, "bold" if finding.status == "fail" else ""),
    )


def _plural(number: int, noun: str) -> str:
    return noun if number == 1 else noun + "s"


def _row(check: Check, finding: Finding) -> dict[str, Any]:
    return {
        "check": check.name,
        "status": finding.status,
        "cause": finding.cause or None,
        "result": finding.result,
        "fix": finding.fix or None,
    }
