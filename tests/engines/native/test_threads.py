"""A fit takes the cores that this process may use, and fewer if the environment says so."""

import joblib
import pytest

from skl_lstm.engines.native import threads
from skl_lstm.engines.native.threads import available_threads


@pytest.fixture(autouse=True)
def four_cores(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 4)
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_without_a_setting_there_is_a_thread_for_each_core():
    assert available_threads() == 4


@pytest.mark.parametrize("name", threads.VARIABLES)
def test_each_variable_limits_the_threads(monkeypatch, name):
    monkeypatch.setenv(name, "3")
    assert available_threads() == 3
    monkeypatch.setenv(name, "1")
    assert available_threads() == 1


def test_the_smallest_limit_counts(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    assert available_threads() == 2


def test_no_variable_gives_more_threads_than_there_are_cores(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    assert available_threads() == 4


@pytest.mark.parametrize(("text", "expected"), [("2,1", 2), (" 3 ", 3), ("3, 4,2", 3)])
def test_a_list_is_read_as_openmp_reads_it(monkeypatch, text, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert available_threads() == expected


@pytest.mark.parametrize("text", ["", "many", "0", "-2", "1.5", ",2"])
def test_what_is_no_number_of_threads_is_ignored(monkeypatch, text):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert available_threads() == 4


def in_workers(**settings):
    with joblib.parallel_config(backend="loky", n_jobs=2, **settings):
        return joblib.Parallel()(joblib.delayed(available_threads)() for _ in range(2))


@pytest.mark.slow
def test_worker_processes_divide_the_cores_or_take_what_they_are_given(monkeypatch):
    monkeypatch.undo()
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    n_cores = joblib.cpu_count()
    assert set(in_workers()) == {max(n_cores // 2, 1)}
    assert set(in_workers(inner_max_num_threads=1)) == {1}
    assert set(in_workers(inner_max_num_threads=2)) == {min(2, n_cores)}
