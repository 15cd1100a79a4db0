"""Texts cut into requests, in their order; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def cut_batches(texts: Sequence[str], *, max_items: int, max_bytes: int) -> Iterator[list[str]]:
    """Cut texts into batches, in their order.

    Args:
        texts: The texts.
        max_items: Texts in a batch at most.
        max_bytes: Bytes of UTF-8 in a batch at most; a text that is larger is a batch of its own.
    """
    batch: list[str] = []
    size = 0
    for text in texts:
        added = len(text.encode("utf-8", "surrogatepass"))
        if batch and (len(batch) == max_items or size + added > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += added
    if batch:
        yield batch
