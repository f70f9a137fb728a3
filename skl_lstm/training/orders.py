"""The order in which an epoch takes the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from skl_lstm.network.network import Network
from skl_lstm.training.settings import Settings

# Separates the random numbers for the order of the rows from those for the initial weights.
_ORDERS = 1

# Number of rows that are put in order at once, if all of them are more, and the largest number of
# parts in which that is done.
PART_ROWS = 2**20
MOST_PARTS = 40

# How many more random numbers than expected may fall into a part: for the smallest one, fifty
# times their standard deviation.
SPARE = 0.05

# Number of random numbers that are drawn at once.
BLOCK_ROWS = 2**16

# About how many numbers to draw at once: the orders of many short epochs. Each draw and each sort
# lets another thread run, which may take long to give way.
DRAWN_TOGETHER = 2**14


def epoch_orders(
    n_rows: int, first_epoch: int, network: Network, settings: Settings
) -> Iterator[NDArray[np.int64]]:
    """Yield the order of the rows for each epoch.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    first_epoch : int
        Number of previous epochs, so that continued training takes the same orders as
        uninterrupted training.
    network : Network
        Determines whether the rows are streams, which are not shuffled.
    settings : Settings
        Determines whether to shuffle, the seed, and the number of streams.

    Yields
    ------
    order : ndarray of int64 of shape (n_rows,), or of as many as ``windows_per_epoch``
        Positions of the rows.
    """
    n_drawn = settings.rows_per_epoch(n_rows)
    if n_drawn < n_rows:
        yield from _samples(n_rows, n_drawn, first_epoch, settings)
    if network.stateful or not settings.shuffle:
        order = time_order(n_rows, network, settings)
        while True:
            yield order
    # Sorting uniform numbers takes exactly n_rows draws, so that those of any epoch can be found
    # without drawing the previous ones.
    uniform = _uniform(first_epoch * n_rows, settings)
    n_together = max(1, min(settings.epochs, DRAWN_TOGETHER // n_rows))
    while True:
        yield from uniform((n_together, n_rows)).argsort()


def epoch_order(
    n_rows: int, epoch: int, network: Network, settings: Settings, size: int
) -> Iterator[NDArray[np.int64]]:
    """Yield the order of the rows for one epoch, as :func:`epoch_orders`, piece by piece.

    The memory is that of a small part of the rows, or that of those drawn for the epoch.

    Parameters
    ----------
    n_rows, network, settings
        As in :func:`epoch_orders`.
    epoch : int
        Number of previous epochs.
    size : int
        Number of positions to yield at once.

    Yields
    ------
    part : ndarray of int64 of shape (size,), the last one shorter
        Positions of the rows that come next.
    """
    n_parts = min(-(-n_rows // PART_ROWS), MOST_PARTS)
    is_whole = settings.rows_per_epoch(n_rows) == n_rows
    if is_whole and (network.stateful or not settings.shuffle):
        yield from time_order_parts(n_rows, network, settings, size)
    elif is_whole and n_parts > 1:
        yield from _cut(_shuffled(n_rows, epoch, settings, n_parts), size)
    else:
        order = next(epoch_orders(n_rows, epoch, network, settings))
        yield from _cut([order], size)


def _shuffled(n_rows: int, epoch: int, settings: Settings, n_parts: int) -> Iterator[NDArray]:
    """Yield the order of the rows in parts, each from drawing all random numbers anew.

    Together, the numbers and the positions would take several times the memory of a series.
    """
    size = int(n_rows / n_parts * (1 + SPARE))
    numbers = np.empty(size)
    rows = np.empty(size, dtype=np.uint32 if n_rows <= 2**32 else np.int64)
    for part in range(n_parts):
        uniform = _uniform(epoch * n_rows, settings)
        low, high = part / n_parts, (part + 1) / n_parts
        n_found = 0
        for start in range(0, n_rows, BLOCK_ROWS):
            drawn = uniform(min(BLOCK_ROWS, n_rows - start))
            found = np.flatnonzero((low <= drawn) & (drawn < high))
            new = slice(n_found, n_found + len(found))
            numbers[new] = drawn[found]
            rows[new] = found + start
            n_found = new.stop
        yield rows[numbers[:n_found].argsort()]


def _cut(parts: Iterable[NDArray], size: int) -> Iterator[NDArray[np.int64]]:
    """Cut arrays that follow each other into arrays of one size, the last one shorter."""
    left = np.zeros(0, dtype=np.int64)
    for part in parts:
        start = 0
        while len(left) + len(part) - start > size:
            stop = start + size - len(left)
            yield np.concatenate([left, part[start:stop]])
            left, start = left[:0], stop
        left = np.concatenate([left, part[start:]])
    yield left


def _uniform(n_before: int, settings: Settings) -> Callable[..., NDArray[np.float64]]:
    """Return what draws uniform numbers for the orders, behind those of previous epochs."""
    generator = np.random.PCG64([settings.seed, _ORDERS])
    generator.advance(n_before)
    return np.random.Generator(generator).random


def _samples(
    n_rows: int, n_drawn: int, first_epoch: int, settings: Settings
) -> Iterator[NDArray[np.int64]]:
    """Yield some rows for each epoch: one of each of `n_drawn` equal stretches.

    So they are all different, spread over all series, and take time and memory of their own
    number alone.
    """
    bounds = np.arange(n_drawn + 1) * n_rows // n_drawn
    lengths = np.diff(bounds)
    uniform = _uniform(first_epoch * 2 * n_drawn, settings)
    while True:
        place, rank = uniform(n_drawn), uniform(n_drawn)
        rows = bounds[:-1] + (place * lengths).astype(np.int64)
        yield rows[rank.argsort()] if settings.shuffle else rows


def time_order(n_rows: int, network: Network, settings: Settings) -> NDArray[np.int64]:
    """Return the rows in time order: as they are, or interleaved if they form parallel streams.

    Parameters
    ----------
    n_rows : int
        Number of rows; a multiple of the number of streams if the network is stateful.
    network : Network
        Determines whether the rows are streams.
    settings : Settings
        `batch_size` is the number of streams.

    Returns
    -------
    order : ndarray of int64 of shape (n_rows,)
        Positions of the rows.
    """
    return next(time_order_parts(n_rows, network, settings, max(n_rows, 1)))


def time_order_parts(
    n_rows: int, network: Network, settings: Settings, size: int
) -> Iterator[NDArray[np.int64]]:
    """Yield what :func:`time_order` returns, `size` positions at a time."""
    for start in range(0, max(n_rows, 1), size):
        places = np.arange(start, min(start + size, n_rows))
        if network.stateful:
            step, stream = np.divmod(places, settings.batch_size)
            places = stream * (n_rows // settings.batch_size) + step
        yield places
