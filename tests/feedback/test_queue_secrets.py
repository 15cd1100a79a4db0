"""No token is ever in a spool, a dead letter, a log record, a traceback or a repr; the spool is its owner's alone."""

from __future__ import annotations

import logging
import stat
import traceback

import pytest

from aigw import ConfigurationError

from .faulty import RESET, TOKEN, Fault


async def test_no_token_is_left_anywhere_by_what_goes_wrong(face, faulty, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    faulty.faults["l1"] = [Fault(401), Fault(401)]
    faulty.faults["l2"] = [RESET, Fault(500), Fault(403)]
    queue = face.make(faulty, spool=tmp_path / "spool")
    for log in ("l1", "l2", "l3"):
        await face.do(queue.feedback, log, -1)
    assert await face.do(queue.flush, 10)
    with pytest.raises(ConfigurationError) as refused:
        await face.do(queue.feedback, "l1", 7)
    letters = await face.do(queue.failed)
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    said = [
        repr(letters),
        repr(queue),
        caplog.text,
        *traceback.format_exception(refused.value),
        files.decode("latin-1"),
    ]
    assert len(letters) == 2
    assert [text for text in said if TOKEN in text] == []
    assert b"l1" in files


async def test_the_spool_and_what_stands_beside_it_are_for_their_owner_alone(face, faulty, tmp_path):
    queue = face.make(faulty, spool=tmp_path / "spool")
    await face.do(queue.feedback, "l1", -1)
    assert await face.do(queue.flush, 10)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"spool": 0o600, "spool-wal": 0o600, "spool-shm": 0o600}


async def test_a_spool_that_all_may_read_is_taken_from_them(face, faulty, tmp_path):
    first = face.make(faulty, spool=tmp_path / "spool")
    await face.close(first)
    (tmp_path / "spool").chmod(0o644)
    face.make(faulty, spool=tmp_path / "spool")
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o600
