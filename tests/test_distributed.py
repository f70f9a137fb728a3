"""Searches, backtests and intervals in worker processes give what they give alone."""

import os
import re
import shutil
import signal
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skl_lstm import (
    LookbackWindower,
    LSTMForecaster,
    backtest,
    forecast_interval,
    load_airline_passengers,
    make_supervised,
)
from skl_lstm.engines.native.kernels import entry
from skl_lstm.engines.native.threads import available_threads

pytestmark = pytest.mark.slow

SERIES = load_airline_passengers()
X, Y = make_supervised(SERIES)


def killing_a_worker(X, flag, spared):
    """Kill the first process that comes by, except for one, and leave a flag there."""
    if os.getpid() != spared and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return X


def model(flag=None):
    steps = [
        LookbackWindower(look_back=6),
        LSTMForecaster(units=3, epochs=5, window_scaling="last", random_state=0),
    ]
    if flag:
        how = {"flag": str(flag), "spared": os.getpid()}
        steps.insert(0, FunctionTransformer(killing_a_worker, kw_args=how))
    return make_pipeline(*steps)


def scores(estimator, cv=None):
    grid = {"lookbackwindower__look_back": [3, 6, 12], "lstmforecaster__batch_size": [8, 32]}
    search = GridSearchCV(estimator, grid, cv=cv or TimeSeriesSplit(3), error_score="raise")
    search.fit(X, Y)
    return np.array([search.cv_results_[f"split{fold}_test_score"] for fold in range(3)])


def weights():
    return model().fit(X, Y)[-1].weights_


@pytest.fixture(scope="module")
def serial_scores():
    return scores(model())


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    """A client of two workers; with one of them, joblib would work in this process."""
    with cluster.get_client() as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture
def flag(tmp_path):
    """A file that, while it is missing, has the next fit kill its process."""
    return tmp_path / "killed"


def test_joblibs_own_processes_give_the_serial_scores(serial_scores):
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert_array_equal(scores(model()), serial_scores)


def test_the_workers_of_dask_give_the_serial_scores(client, serial_scores):
    with joblib.parallel_config(backend="dask"):
        assert_array_equal(scores(model()), serial_scores)
    with joblib.parallel_config(backend="dask", scatter=[X, Y]):
        assert_array_equal(scores(model()), serial_scores)
    assert len(client.run(os.getpid)) == 2


def test_a_worker_of_dask_trains_with_one_thread(client):
    assert list(client.run(available_threads).values()) == [1, 1]


def test_a_search_whose_worker_is_killed_gives_the_serial_scores(client, flag, serial_scores):
    pids = client.run(os.getpid)
    client.amm.stop()
    folds = [(train.tolist(), test.tolist()) for train, test in TimeSeriesSplit(3).split(X)]
    try:
        with joblib.parallel_config(backend="dask", scatter=[X, Y]):
            assert_array_equal(scores(model(flag), folds), serial_scores)
    finally:
        client.amm.start()
    assert flag.exists()
    client.wait_for_workers(2)
    assert set(client.run(os.getpid).values()) != set(pids.values())


@pytest.mark.usefixtures("client")
def test_a_backtest_whose_worker_is_killed_gives_the_serial_forecasts(flag):
    with joblib.parallel_config(backend="dask"):
        frame = backtest(model(flag), SERIES, cv=4, steps=3, n_jobs=2).frame
    assert flag.exists()
    pd.testing.assert_frame_equal(frame, backtest(model(), SERIES, cv=4, steps=3).frame)


@pytest.mark.usefixtures("client")
def test_an_interval_whose_worker_is_killed_is_the_serial_one(flag):
    fitted = model(flag).fit(X, Y)
    expected = forecast_interval(fitted, SERIES, 3, refits=4)
    with joblib.parallel_config(backend="dask"):
        interval = forecast_interval(fitted, SERIES, 3, refits=4)
    assert flag.exists()
    pd.testing.assert_frame_equal(interval, expected)


def test_the_page_on_distributed_searches_runs_as_it_stands(cluster):
    pytest.importorskip("dask.dataframe")
    page = Path(__file__).parents[1] / "docs" / "user_guide" / "distributed.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    names, scores = {}, []
    for block in blocks:
        block = block.replace("tcp://scheduler:8786", cluster.scheduler_address)
        exec(compile(block, str(page), "exec"), names)
        if "fit(X, y)" in block:
            scores.append(names["search"].cv_results_["mean_test_score"])
    names["client"].close()
    assert len(scores) == 3
    assert_array_equal(scores[1], scores[0])
    assert_array_equal(scores[2], scores[0])
    assert len(names["result"].frame) == 36
    whole = names["best"].predict(names["X"])
    assert_allclose(names["predictions"], whole, rtol=1e-6)


def cache_folder():
    return entry.run_batches.compiled.stats.cache_path


def test_workers_train_the_same_with_a_torn_cache_and_without_one(tmp_path, serial_scores):
    distributed = pytest.importorskip("distributed")
    torn, closed = tmp_path / "torn", tmp_path / "closed"
    closed.write_text("a file where a folder is wanted")
    weights()  # so that there is a kernel to copy
    own = Path(cache_folder())

    def worker(cache):
        only_there = {
            "NUMBA_CACHE_DIR": str(cache),
            "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator",
        }
        return {"cls": distributed.Nanny, "options": {"nthreads": 1, "env": only_there}}

    cluster = distributed.SpecCluster(
        workers={cache.name: worker(cache) for cache in (torn, closed)},
        scheduler={"cls": distributed.Scheduler, "options": {"dashboard_address": "127.0.0.1:0"}},
    )
    with cluster, distributed.Client(cluster) as client:
        (folder,) = filter(None, client.run(cache_folder).values())
        shutil.copytree(own, folder, dirs_exist_ok=True)
        for path in torn.rglob("*.nbc"):
            os.truncate(path, path.stat().st_size // 2)
        client.restart()
        for trained in client.run(weights).values():
            for part, expected in zip(trained, weights(), strict=True):
                assert_array_equal(part, expected)
        with joblib.parallel_config(backend="dask"):
            assert_array_equal(scores(model()), serial_scores)
    sizes = {path.name: path.stat().st_size for path in torn.rglob("*.nbc")}
    assert sizes
    assert all(size > (own / name).stat().st_size // 2 for name, size in sizes.items())


def test_the_workers_of_ray_give_the_serial_scores(serial_scores):
    ray = pytest.importorskip("ray")
    pytest.importorskip("ray.util.joblib").register_ray()
    ray.init(num_cpus=2, include_dashboard=False)
    try:
        with joblib.parallel_config(backend="ray", n_jobs=-1):
            assert_array_equal(scores(model()), serial_scores)
            frame = backtest(model(), SERIES, cv=3, steps=3).frame
    finally:
        ray.shutdown()
    pd.testing.assert_frame_equal(frame, backtest(model(), SERIES, cv=3, steps=3).frame)
