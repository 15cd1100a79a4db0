"""Many feedbacks to one log, folded into as few patches as say the same: the last write of each field wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aigw._options import MAX_METADATA

if TYPE_CHECKING:
    from collections.abc import Iterable

Changes = Mapping[str, Any]
"""What one feedback changes: `feedback`, `score`, `metadata`; a field that is not there stays as it is."""


def merge_changes(given: Iterable[Changes]) -> list[dict[str, Any]]:
    """Fold feedback, oldest first, into patches that are to be sent in this order.

    There is one, but for metadata that is cleared and then given anew, or that is more than one patch may carry.
    Metadata is joined key by key.
    """
    patches: list[dict[str, Any]] = []
    for changes in given:
        if patches and _fits(patches[-1], changes):
            patches[-1] = _join(patches[-1], changes)
        else:
            patches.append(dict(changes))
    return patches


def _fits(first: Changes, then: Changes) -> bool:
    if "metadata" not in first or then.get("metadata") is None:
        return True
    labels = first["metadata"]
    return labels is not None and len({**labels, **then["metadata"]}) <= MAX_METADATA


def _join(first: Changes, then: Changes) -> dict[str, Any]:
    joined = {**first, **then}
    if first.get("metadata") and then.get("metadata"):
        joined["metadata"] = {**first["metadata"], **then["metadata"]}
    return joined
