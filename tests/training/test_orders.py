"""An epoch takes each row once, in an order that follows from the seed and its number."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skl_lstm.network.network import Network
from skl_lstm.training import orders as orders_module
from skl_lstm.training.orders import epoch_order, epoch_orders
from skl_lstm.training.settings import Settings


def orders(n_rows, n_epochs, first_epoch=0, stateful=False, **settings):
    network = Network(1, 1, (1,), 1, stateful=stateful)
    drawn = epoch_orders(n_rows, first_epoch, network, Settings(**settings))
    return np.array([next(drawn) for _ in range(n_epochs)])


def test_an_epoch_takes_each_row_once_in_an_order_of_its_own():
    drawn = orders(10, 3, shuffle=True, seed=1)
    assert_array_equal(np.sort(drawn), np.tile(np.arange(10), (3, 1)))
    assert len({tuple(order) for order in drawn}) == 3


def test_later_epochs_have_the_orders_they_would_have_had_in_one_go():
    drawn = orders(10, 5, seed=1)
    assert_array_equal(orders(10, 2, first_epoch=3, seed=1), drawn[3:])


@pytest.mark.parametrize("epochs", [1, 3, 100])
def test_orders_do_not_depend_on_how_many_are_drawn_at_once(epochs):
    assert_array_equal(orders(10, 7, seed=1, epochs=epochs), orders(10, 7, seed=1, epochs=7))


def test_unshuffled_rows_are_in_order_of_time_stream_beside_stream():
    assert_array_equal(orders(4, 2, shuffle=False), [[0, 1, 2, 3]] * 2)
    assert_array_equal(orders(6, 1, stateful=True, batch_size=2), [[0, 3, 1, 4, 2, 5]])


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(("n_rows", "n_drawn"), [(10, 3), (100, 99), (7, 1), (1000, 37)])
def test_a_sample_takes_different_rows_from_all_over(n_rows, n_drawn, shuffle):
    drawn = orders(n_rows, 6, windows_per_epoch=n_drawn, shuffle=shuffle, seed=2)
    assert drawn.shape == (6, n_drawn)
    bounds = np.arange(n_drawn + 1) * n_rows // n_drawn
    for epoch in drawn:
        in_order = np.sort(epoch)
        assert (in_order >= bounds[:-1]).all()
        assert (in_order < bounds[1:]).all()
        assert shuffle or (in_order == epoch).all()
    if 1 < n_drawn < n_rows / 2:
        assert len({tuple(epoch) for epoch in drawn}) == 6
    again = orders(n_rows, 2, 4, windows_per_epoch=n_drawn, shuffle=shuffle, seed=2)
    assert_array_equal(again, drawn[4:])


def test_a_sample_of_as_many_rows_as_there_are_is_all_of_them():
    assert_array_equal(orders(9, 2, windows_per_epoch=50), orders(9, 2))


@pytest.mark.parametrize(
    "settings",
    [{}, {"shuffle": False}, {"stateful": True, "batch_size": 8}, {"windows_per_epoch": 300}],
    ids=str,
)
@pytest.mark.parametrize("size", [7, 1000, 5000])
def test_an_order_piece_by_piece_is_that_in_one_go(settings, size, monkeypatch):
    expected = orders(1000, 1, first_epoch=3, seed=4, **settings)[0]
    monkeypatch.setattr(orders_module, "PART_ROWS", 300)
    monkeypatch.setattr(orders_module, "SPARE", 0.5)
    monkeypatch.setattr(orders_module, "BLOCK_ROWS", 64)
    network = Network(1, 1, (1,), 1, stateful=settings.pop("stateful", False))
    pieces = list(epoch_order(1000, 3, network, Settings(seed=4, **settings), size))
    assert_array_equal(np.concatenate(pieces), expected)
    assert {len(piece) for piece in pieces[:-1]} <= {size}
    assert {piece.dtype for piece in pieces} == {np.dtype(np.int64)}
