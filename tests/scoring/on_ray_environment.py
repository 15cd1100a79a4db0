"""What a test needs that starts Ray in a process of its own: its environment, and which processes it left."""

from __future__ import annotations

import os
from pathlib import Path

_RAY = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def environment():
    """Give this process's, without proxies."""
    own = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**own, **_RAY}


def commands_with(folder):
    """Give the commands of all processes that name a folder, but for those that have just ended."""
    commands = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.append(file.read_bytes())
        except OSError:
            continue
    return [command for command in commands if folder.encode() in command]
