"""The order in which an epoch takes the rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skl_lstm.network.network import Network
from skl_lstm.training.settings import Settings

# Separates the random numbers for the order of the rows from those for the initial weights.
_ORDERS = 1

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
    generator = np.random.PCG64([settings.seed, _ORDERS])
    generator.advance(first_epoch * n_rows)
    uniform = np.random.Generator(generator).random
    n_together = max(1, min(settings.epochs, DRAWN_TOGETHER // n_rows))
    while True:
        yield from uniform((n_together, n_rows)).argsort()


def _samples(
    n_rows: int, n_drawn: int, first_epoch: int, settings: Settings
) -> Iterator[NDArray[np.int64]]:
    """Yield some rows for each epoch: one of each of `n_drawn` equal stretches.

    So they are all different, spread over all series, and take time and memory of their own
    number alone.
    """
    bounds = np.arange(n_drawn + 1) * n_rows // n_drawn
    lengths = np.diff(bounds)
    generator = np.random.PCG64([settings.seed, _ORDERS])
    generator.advance(first_epoch * 2 * n_drawn)
    uniform = np.random.Generator(generator).random
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
    order = np.arange(n_rows)
    return order.reshape(settings.batch_size, -1).T.ravel() if network.stateful else order
