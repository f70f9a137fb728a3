"""The forecaster does what scikit-learn's own estimators do inside scikit-learn's tools."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, StackingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skl_lstm import LookbackWindower, LSTMForecaster

LOOK_BACKS = {"regressor__window__look_back": [1, 3]}
SPLITS = TimeSeriesSplit(2)


def composed(**parameters):
    settings = {"units": 3, "epochs": 2, "batch_size": 16, "random_state": 0}
    forecaster = LSTMForecaster(**{**settings, **parameters})
    return TransformedTargetRegressor(
        regressor=Pipeline(
            [
                ("scale", MinMaxScaler()),
                ("window", LookbackWindower(look_back=3)),
                ("lstm", forecaster),
            ]
        ),
        transformer=MinMaxScaler(),
    )


@pytest.fixture
def data(airline):
    X, y = airline
    return X[:60], y[:60]


def test_a_pipeline_in_the_units_of_the_data(airline):
    X, y = airline
    model = composed(units=8, epochs=60, learning_rate=0.02).fit(X[:100], y[:100])
    assert model.score(X[:100], y[:100]) > 0.7
    assert 0.1 < model.predict(X[100:]).mean() < 0.6


def test_cross_validation(data):
    scores = cross_val_score(composed(), *data, cv=SPLITS, scoring="neg_root_mean_squared_error")
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV(composed(), LOOK_BACKS, cv=SPLITS),
        RandomizedSearchCV(composed(), LOOK_BACKS, n_iter=2, cv=SPLITS, random_state=0),
    ],
    ids=["grid", "random"],
)
def test_a_search_chooses_look_back_alone_and_scores_the_same_in_processes(search, data):
    alone = clone(search).fit(*data)
    assert np.isfinite(alone.cv_results_["mean_test_score"]).all()
    side_by_side = clone(search).set_params(n_jobs=2).fit(*data)
    for split in ("split0_test_score", "split1_test_score"):
        assert_array_equal(side_by_side.cv_results_[split], alone.cv_results_[split])
    chosen = alone.best_params_["regressor__window__look_back"]
    assert alone.best_estimator_.regressor_["lstm"].n_features_in_ == chosen


def test_units_are_searched_among_single_and_stacked(data):
    search = GridSearchCV(composed(), {"regressor__lstm__units": [2, (2, 2)]}, cv=SPLITS)
    assert np.isfinite(search.fit(*data).cv_results_["mean_test_score"]).all()


def test_successive_halving(data):
    search = HalvingGridSearchCV(
        composed(),
        {"regressor__lstm__units": [2, 3, 4]},
        resource="regressor__lstm__epochs",
        max_resources=3,
        min_resources=1,
        cv=SPLITS,
    )
    assert np.isfinite(search.fit(*data).best_score_)
    assert search.best_estimator_.regressor_["lstm"].n_iter_ == 3


@pytest.fixture
def windows(data):
    X, y = data
    return LookbackWindower(3).fit_transform(X)[2:], y.to_numpy()[2:]


def forecaster(**parameters):
    return LSTMForecaster(**{"units": 3, "epochs": 2, "random_state": 0, **parameters})


def test_bagging(windows):
    model = BaggingRegressor(forecaster(), n_estimators=2, random_state=0).fit(*windows)
    first, second = (member.predict(windows[0]) for member in model.estimators_)
    assert not np.allclose(first, second)
    assert_allclose(model.predict(windows[0]), (first + second) / 2)


def test_stacking(windows):
    model = StackingRegressor([("lstm", forecaster()), ("line", LinearRegression())], cv=2)
    assert model.fit(*windows).score(*windows) > 0.5


def test_an_output_each(windows):
    X, y = windows
    model = MultiOutputRegressor(forecaster()).fit(X, np.column_stack([y, -y]))
    assert model.predict(X).shape == (len(X), 2)


def test_permutation_importance(windows):
    model = forecaster(epochs=20, learning_rate=0.05).fit(*windows)
    importance = permutation_importance(model, *windows, n_repeats=2, random_state=0)
    assert importance.importances_mean.shape == (3,)
    assert importance.importances_mean.max() > 0


def test_a_column_transformer_around_the_windower(data):
    X, y = data
    frame = pd.DataFrame({"passengers": X.iloc[:, 0], "month": X.index.month})
    columns = ColumnTransformer(
        [("past", LookbackWindower(3), ["passengers"]), ("now", "passthrough", ["month"])]
    )
    model = make_pipeline(columns, StandardScaler(), forecaster()).fit(frame, y)
    assert model[-1].n_features_in_ == 4
    assert np.isfinite(model.predict(frame)).all()


def test_clone_takes_the_parameters_and_not_the_fit(windows):
    model = forecaster(units=(3, 2)).fit(*windows)
    copied = clone(model)
    assert copied.get_params() == model.get_params()
    assert not hasattr(copied, "weights_")


@pytest.mark.slow
@pytest.mark.parametrize("copied", [lambda m: pickle.loads(pickle.dumps(m)), clone])
def test_keras_objects_as_parameters_can_be_copied(copied, windows):
    keras = pytest.importorskip("keras")

    model = forecaster(
        optimizer=keras.optimizers.Adam(0.01),
        loss=keras.losses.Huber(),
        callbacks=[keras.callbacks.TerminateOnNaN()],
        metrics=[keras.metrics.MeanAbsoluteError()],
    )
    assert_array_equal(
        copied(model).fit(*windows).predict(windows[0]), model.fit(*windows).predict(windows[0])
    )


@pytest.mark.slow
def test_a_fitted_model_is_loaded_by_another_process(data, tmp_path):
    X, y = data
    model = composed().fit(X, y)
    joblib.dump((model, X), tmp_path / "model.joblib")
    program = (
        "import sys, joblib, skl_lstm\n"
        "skl_lstm.load_kernel()\n"
        f"model, X = joblib.load({str(tmp_path / 'model.joblib')!r})\n"
        f"joblib.dump(model.predict(X), {str(tmp_path / 'predictions.joblib')!r})\n"
        "assert not {'tensorflow', 'keras', 'scikeras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert_array_equal(joblib.load(tmp_path / "predictions.joblib"), model.predict(X))


def test_pandas_output_inside_the_pipeline_changes_no_prediction(data):
    X, y = data
    plain = make_pipeline(MinMaxScaler(), LookbackWindower(3), forecaster())
    framed = clone(plain).set_output(transform="pandas")
    assert_array_equal(framed.fit(X, y).predict(X), plain.fit(X, y).predict(X))
    assert list(framed[-1].feature_names_in_) == [f"passengers_lag{lag}" for lag in (2, 1, 0)]


def test_sample_weight_is_routed_as_metadata(data):
    X, y = data
    weight = np.linspace(0.0, 2.0, len(X))
    with sklearn.config_context(enable_metadata_routing=True):
        routed = forecaster().set_fit_request(sample_weight=True)
        model = make_pipeline(MinMaxScaler(), LookbackWindower(3), routed)
        model.fit(X, y, sample_weight=weight)
    windows = model[:-1].transform(X)
    direct = forecaster().fit(windows, y, sample_weight=weight)
    assert_array_equal(model[-1].weights_[0], direct.weights_[0])
    unweighted = forecaster().fit(windows, y)
    assert not np.allclose(direct.weights_[0], unweighted.weights_[0])


def test_the_state_after_training_is_reached_through_the_composed_model(airline):
    X, y = airline
    model = composed(stateful=True, batch_size=1).fit(X[:100], y[:100])
    following = model.predict(X[100:], initial_state="fit")
    assert_allclose(following, model.predict(X)[100:], rtol=1e-6)
    assert not np.allclose(following, model.predict(X[100:]))
