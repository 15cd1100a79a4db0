"""Exit codes, and which error means which: one table for the commands, their help and the documentation."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from aigw import _errors as e


class ExitCode(IntEnum):
    """What the shell is told."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    CONNECTION = 3
    AUTHENTICATION = 4
    NOT_FOUND = 5
    INTERRUPTED = 130


MEANINGS: Final = {
    ExitCode.OK: "done",
    ExitCode.REFUSED: "the gateway or the provider said no",
    ExitCode.USAGE: "wrong usage or configuration",
    ExitCode.CONNECTION: "no connection, or it broke",
    ExitCode.AUTHENTICATION: "the token is wrong, or lacks a permission",
    ExitCode.NOT_FOUND: "no such gateway, log or model",
    ExitCode.INTERRUPTED: "interrupted",
}

_BY_ERROR: Final[tuple[tuple[type[Exception], ExitCode], ...]] = (
    (e.ConfigurationError, ExitCode.USAGE),
    (e.APIConnectionError, ExitCode.CONNECTION),
    (e.StreamTruncatedError, ExitCode.CONNECTION),
    (e.AuthenticationError, ExitCode.AUTHENTICATION),
    (e.PermissionDeniedError, ExitCode.AUTHENTICATION),
    (e.NotFoundError, ExitCode.NOT_FOUND),
)


def exit_code_of(error: Exception) -> ExitCode:
    """Give the exit code an error stands for."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), ExitCode.REFUSED)
