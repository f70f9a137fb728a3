"""Training rows: windows, targets and weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skl_lstm.network.windows import Windows, blocks
from skl_lstm.warn import warn

# Number of rows that are looked at at once.
BLOCK_ROWS = 2**16


@dataclass(frozen=True)
class Rows:
    """Windows with their targets and weights.

    Parameters
    ----------
    windows : Windows
        The n windows.
    targets : ndarray of shape (n, n_outputs)
        Target of each window, in float32 to train on; of shape (n, 0) if there is nothing to
        learn.
    sample_weight : ndarray of float32 of shape (n,) or None
        Weight of each window.
    """

    windows: Windows
    targets: NDArray
    sample_weight: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.windows)

    def complete(self) -> slice | NDArray[np.intp]:
        """Return the positions of the rows whose window and target have no missing value.

        They are a slice if they follow each other, because positions take more memory than a
        series.
        """
        missing = self.windows.missing()
        found: list[slice | NDArray[np.intp]] = []
        for block in blocks(len(self), BLOCK_ROWS):
            complete = self.windows[block].complete(missing)
            complete &= ~np.isnan(self.targets[block]).any(axis=1)
            places = np.flatnonzero(complete) + block.start
            if not len(places):
                continue
            first, stop = int(places[0]), int(places[-1]) + 1
            last = found[-1] if found else slice(first, first)
            if stop - first > len(places):
                found.append(places)
            elif isinstance(last, slice) and last.stop == first:
                found[-1:] = [slice(last.start, stop)]
            else:
                found.append(slice(first, stop))
        if len(found) == 1:
            return found[0]
        parts = [np.arange(p.start, p.stop) if isinstance(p, slice) else p for p in found]
        return np.concatenate([np.zeros(0, dtype=np.intp), *parts])

    def mirrored(self) -> Rows:
        """Return these rows, followed by the same ones upside down in normalized units."""
        weight = self.sample_weight
        return Rows(
            self.windows.mirrored(),
            np.concatenate([self.targets, -self.targets]),
            None if weight is None else np.concatenate([weight, weight]),
        )

    def followed_by(self, later: Rows) -> Rows:
        """Return these rows followed by later ones of the same series."""
        if not len(later):
            return self
        windows = replace(
            self.windows, rows=np.concatenate([self.windows.numbers, later.windows.numbers])
        )
        weight = self.sample_weight
        if weight is not None and later.sample_weight is not None:
            weight = np.concatenate([weight, later.sample_weight])
        return Rows(windows, np.concatenate([self.targets, later.targets]), weight)

    def __getitem__(self, part: slice | NDArray) -> Rows:
        weight = self.sample_weight
        return Rows(
            self.windows[part], self.targets[part], None if weight is None else weight[part]
        )


def equal_streams(rows: Rows, n_streams: int, purpose: str) -> Rows:
    """Leave out the oldest rows, so that the rest divides into `n_streams` equal stretches."""
    if 0 < len(rows) < n_streams:
        raise ValueError(
            f"batch_size={n_streams} streams of a stateful network need at least as many "
            f"{purpose} rows, got {len(rows)}"
        )
    n_left_over = len(rows) % n_streams
    if n_left_over:
        warn(
            f"stateful=True cuts {len(rows)} {purpose} rows into batch_size={n_streams} streams "
            f"of equal length; the oldest {n_left_over} are left out"
        )
    return rows[n_left_over:]
