"""Distances from a forecast are quantiles of past errors, or follow them as they become known."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skl_lstm.forecasting.conformal import distances, least_errors


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def above(residuals, coverage=0.9, adaptive=True, symmetric=True, known_at=None):
    return distances(
        residuals, coverage, symmetric=symmetric, adaptive=adaptive, known_at=known_at
    )[1]


@pytest.mark.parametrize(
    ("coverage", "least"), [(0.8, 9), (0.9, 19), (0.95, 39), (0.5, 3), (0.99, 199)]
)
def test_the_extremes_of_the_least_errors_have_the_coverage(coverage, least):
    assert least_errors(coverage) == least
    residuals = normal(least, 1, 1)
    below, top = distances(residuals, coverage, symmetric=False, adaptive=False)
    assert [below.item(), top.item()] == [residuals.min(), residuals.max()]


def test_the_size_of_an_error_counts_if_both_ends_are_as_far():
    residuals = normal(40, 2, 3)
    below, top = distances(residuals, 0.8, symmetric=True, adaptive=False)
    assert_allclose(top, np.sort(np.abs(residuals), axis=0)[math.ceil(41 * 0.8) - 1])
    assert_allclose(below, -top)


def test_an_adaptive_distance_grows_with_the_last_errors_and_shrinks_with_them():
    steady = normal(200, 3, 20)
    growing, shrinking = steady.copy(), steady.copy()
    growing[150:] *= 3
    shrinking[150:] /= 3
    sizes = [above(each).mean(axis=1) for each in (shrinking, steady, growing)]
    assert (sizes[2] > 2 * sizes[1]).all()
    assert (sizes[0] < 0.5 * sizes[1]).all()


def test_an_adaptive_end_follows_the_errors_of_its_side():
    residuals = normal(200, 1, 1)
    upward = residuals.copy()
    upward[150:] += 3
    for adaptive in (False, True):
        before = distances(residuals, 0.9, symmetric=False, adaptive=adaptive)
        after = distances(upward, 0.9, symmetric=False, adaptive=adaptive)
        assert after[0] >= before[0]
        assert after[1] > before[1]


@pytest.mark.parametrize("coverage", [0.8, 0.9])
@pytest.mark.parametrize(("before", "now"), [(1.0, 3.0), (3.0, 1.0)])
def test_it_covers_a_series_that_has_changed_better_than_a_quantile(before, now, coverage):
    off = {True: [], False: []}
    for seed in range(20):
        errors = normal(300, 1, 1, seed=seed) * np.repeat([before, now], [200, 100])[:, None, None]
        for adaptive, found in off.items():
            distance = above(errors, coverage, adaptive).item()
            inside = np.abs(now * normal(2000, seed=99)) <= distance
            found.append(inside.mean() - coverage)
    assert abs(np.mean(off[True])) < 0.05
    assert abs(np.mean(off[True])) < abs(np.mean(off[False])) / 2


@example(254, 2, 0.25)
@given(st.integers(0, 1000), st.integers(1, 4), st.floats(0, 0.3))
def test_each_move_is_by_what_was_known_when_the_forecast_was_made(seed, step, missing):
    rng = np.random.default_rng(seed)
    errors = rng.standard_t(3, size=60)
    errors[rng.random(60) < missing] = np.nan
    residuals = np.zeros((60, step, 1))
    residuals[:, -1, 0] = errors
    known_at = np.arange(60) + step
    state = {}
    for now in range(60 + step):
        known = residuals.copy()
        known[known_at > now] = np.nan  # so that nothing later can tell
        if np.isfinite(known[:, -1]).sum() >= 4:
            of_last = known[:, -1:], known_at[:, np.newaxis]
            state[now] = above(of_last[0], 0.8, known_at=of_last[1]).item()
    for now, made in zip(known_at, range(60), strict=True):
        if made not in state:
            continue
        moved = state[now] - state[now - 1]
        if np.isnan(errors[made]):
            assert moved == 0.0
        elif abs(errors[made]) > state[made]:
            assert moved > 0.0 or state[now] == 0.0  # below which it may still be
        elif state[now] > 0.0:
            assert moved < 0.0


def test_the_further_ahead_the_later_an_error_is_known():
    residuals = normal(80, 4, 2)
    known_at = np.arange(80)[:, np.newaxis] + np.arange(1, 5)
    assert_allclose(above(residuals), above(residuals, known_at=known_at))
    assert not np.allclose(above(residuals)[1:], above(residuals, known_at=known_at + 8)[1:])


def test_several_series_move_it_by_the_share_that_is_missed():
    one = normal(80, 2, 1)
    assert_allclose(above(one[:, np.newaxis]), above(one))
    several = normal(200, 20, 1, 1)
    assert above(several).item() == pytest.approx(1.645, abs=0.25)


@given(st.floats(0.01, 100.0))
def test_it_has_the_units_of_the_errors(factor):
    residuals = normal(60, 2, 1)
    for symmetric in (False, True):
        assert_allclose(
            above(factor * residuals, symmetric=symmetric),
            factor * above(residuals, symmetric=symmetric),
        )


@pytest.mark.parametrize("coverage", [0.5, 0.9, 0.99])
def test_few_errors_and_errors_of_zero_suffice(coverage):
    n = least_errors(coverage)
    assert np.isfinite(above(normal(n, 3, 1), coverage)).all()
    assert (above(np.zeros((n + 20, 3, 1)), coverage) == 0.0).all()


def test_one_spike_is_forgotten_within_the_last_errors():
    steady = normal(200, 1, 1)
    spiked = steady.copy()
    spiked[160] = 1000.0
    assert above(spiked).item() < 2 * above(steady).item()
