"""How probable a difference is by chance, from the signs that it might have had."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import permutation_test

from skl_lstm.forecasting.chance import chance, overlapping


@pytest.mark.parametrize("n", [4, 5, 13])
def test_few_differences_try_all_signs(n):
    differences = np.random.default_rng(n).normal(0.5, 1, n)
    expected = permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert chance(differences) == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("mean", [0.0, 0.2, 0.4])
def test_many_differences_draw_signs(mean):
    differences = np.random.default_rng(0).normal(mean, 1, 14)
    expected = permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert chance(differences) == pytest.approx(expected.pvalue, abs=0.02)
    assert chance(differences) == chance(differences)


def test_the_signs_that_came_count_so_that_no_difference_is_impossible():
    assert chance(np.random.default_rng(0).normal(100, 1, 60)) == 1e-4


@pytest.mark.parametrize("rounding", [0.1, 0.3, 1e-9])
def test_a_tie_counts_whatever_its_rounding(rounding):
    assert chance(np.full(5, rounding)) == 2 / 32
    assert chance(np.zeros(4)) == 1.0


@pytest.mark.parametrize("differences", [[], [1.0], [np.nan, 1.0, 2.0, 3.0], [1, 2, 3, np.inf]])
def test_too_few_or_infinite_differences_tell_nothing(differences):
    assert np.isnan(chance(np.array(differences)))


def test_an_unknown_difference_is_left_out():
    known = np.array([1.0, -2.0, 4.0, 3.0])
    assert chance(np.insert(known, 2, np.nan)) == chance(known)


@pytest.mark.parametrize(
    ("origins", "steps", "numbers"),
    [
        ([0, 3, 6], 3, [0, 1, 2]),
        ([0, 2, 4, 6], 3, [0, 0, 1, 1]),
        ([0, 1, 2, 3], 1, [0, 1, 2, 3]),
        ([0, 1, 2, 3, 9], 9, [0, 0, 0, 0, 1]),
    ],
)
def test_origins_that_overlap_with_the_first_of_them_belong_together(origins, steps, numbers):
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(origins, unit="D")
    for index, ahead in ((pd.Index(origins), steps), (days, pd.Timedelta(steps, unit="D"))):
        assert_array_equal(overlapping(index, pd.Series(index + ahead, index)), numbers)
