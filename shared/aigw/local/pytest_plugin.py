"""A pytest fixture that gives a test its own gateway; declared as a plugin, so installing `aigw` is enough.

It stands apart because pytest imports it at the start of every run of every project: nothing heavy is imported
until a test asks for the fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.local import LocalGateway


@pytest.fixture
def aigw_local() -> Iterator[LocalGateway]:
    """Give a running `LocalGateway` on a free loopback port, with everything allowed and nothing kept on disk."""
    from aigw.local import LocalGateway  # noqa: PLC0415 - pytest loads this module in every run of every project

    with LocalGateway() as gateway:
        yield gateway
