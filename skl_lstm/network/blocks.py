"""Division of many rows or values into blocks, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator


def blocks(n: int, size: int) -> Iterator[slice]:
    """Yield the slices of `size` that make up `n`."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))
