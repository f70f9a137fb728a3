"""Every kind of DataFrame that people have goes through, or the column that does not is named."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skl_lstm import (
    LookbackWindower,
    LSTMClassifier,
    LSTMForecaster,
    backtest,
    forecast,
    make_supervised,
)

NAMES = {"target": "sold", "known": ["price", "promotion"]}
N = 60


def shop():
    t = np.arange(N)
    return pd.DataFrame(
        {"sold": t % 7 + t / 10.0, "price": 5.0 + t % 3, "promotion": t % 5 % 2},
        pd.date_range("2024-01-01", periods=N, name="day"),
    )


def polars(frame):
    return pytest.importorskip("polars").DataFrame(
        {name: frame[name].to_numpy() for name in frame}
    )


def pyarrow(frame):
    pytest.importorskip("pyarrow")
    return frame.convert_dtypes(dtype_backend="pyarrow")


KINDS = {
    "nullable": lambda frame: frame.convert_dtypes(),
    "pyarrow": pyarrow,
    "polars": polars,
    "bool": lambda frame: frame.astype({"promotion": bool}),
    "nullable bool": lambda frame: frame.astype({"promotion": "boolean"}),
    "category of numbers": lambda frame: frame.astype({"promotion": "category"}),
    "object": lambda frame: frame.astype(object),
    "decimal": lambda frame: frame.assign(price=[Decimal(int(v)) for v in frame["price"]]),
    "numbers as text": lambda frame: frame.assign(price=frame["price"].astype(str)),
    "datetime64 of seconds": lambda frame: frame.set_axis(
        frame.index.astype("datetime64[s]") if frame.index.name == "day" else frame.index
    ),
}


def model():
    return make_pipeline(LookbackWindower(3, padding="edge"), LinearRegression())


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_of_any_kind_gives_the_same_as_floats(kind):
    plain, other = shop(), KINDS[kind](shop())
    future = plain.tail(2).reset_index(drop=True)
    expected = model().fit(*make_supervised(plain, **NAMES))
    X, y = make_supervised(other, **NAMES)
    assert type(X) is type(other)
    assert list(X.columns) == ["sold", "price", "promotion"]
    assert y.name == "sold"
    fitted = model().fit(X, y)
    assert fitted[0].fit_transform(X).step_columns == ("sold", "price", "promotion")
    windows = expected[0].fit_transform(make_supervised(plain, **NAMES)[0])
    assert_array_equal(fitted[0].fit_transform(X), windows)
    ahead = forecast(fitted, other, 2, future=KINDS[kind](future), **NAMES)
    assert_allclose(np.asarray(ahead, float), forecast(expected, plain, 2, future=future, **NAMES))
    folds = {"cv": TimeSeriesSplit(2), "season": 7, "steps": 2, **NAMES}
    tested = backtest(model(), other, **folds).frame
    assert_allclose(tested["forecast"], backtest(model(), plain, **folds).frame["forecast"])
    scores = cross_val_score(model(), X, y, cv=TimeSeriesSplit(2), error_score="raise")
    assert_allclose(
        scores, cross_val_score(model(), *make_supervised(plain, **NAMES), cv=TimeSeriesSplit(2))
    )


@pytest.mark.parametrize("kind", ["nullable", "pyarrow", "polars"])
def test_a_missing_value_of_any_kind_is_a_missing_lag(kind):
    frame = shop()
    frame.iloc[20, 1] = np.nan
    windows = LookbackWindower(3).fit_transform(KINDS[kind](frame))
    assert_array_equal(windows, LookbackWindower(3).fit_transform(frame))
    assert np.isnan(windows[20:23]).any(axis=1).all()


def test_polars_goes_in_and_comes_out():
    frame = polars(shop())
    X, y = make_supervised(frame[["sold"]], horizon=2)
    assert y.columns == ["sold_step1", "sold_step2"]
    ahead = forecast(model().fit(X, y), frame[["sold"]], 4)
    assert type(ahead).__module__.startswith("polars")
    assert ahead.name == "sold"
    assert len(ahead) == 4


@pytest.mark.parametrize(
    "estimator",
    [
        LookbackWindower(2),
        LSTMForecaster(epochs=1),
        LSTMClassifier(epochs=1),
        make_pipeline(LookbackWindower(2), LSTMForecaster(epochs=1)),
    ],
    ids=["windower", "forecaster", "classifier", "pipeline"],
)
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            ["Mon", "Tue"] * 30,
            "^X must hold numbers, but column 'weekday' holds values such as 'Mon': encode it "
            r"before, with OneHotEncoder\(sparse_output=False\) or TargetEncoder, or leave it "
            "out; if it tells several series apart, name it in group$",
        ),
        (pd.Categorical(["Mon", "Tue"] * 30), "column 'weekday' holds values such as 'Mon'"),
        (
            pd.date_range("2024-01-01", periods=N),
            "^X must hold numbers, but column 'weekday' holds times: set the time of the rows as "
            "the index, or derive numbers from it, such as the hour$",
        ),
        (pd.timedelta_range("1h", periods=N), "column 'weekday' holds times"),
        (pd.date_range("2024", periods=N, tz="UTC"), "column 'weekday' holds times"),
        (list(pd.date_range("2024", periods=N).date), "column 'weekday' holds times"),
        (pd.array([None, "Tue"] * 30, dtype="string"), "holds values such as 'Tue'"),
        (pd.array(["1-A", "2-B"] * 30, dtype="string"), "holds values such as '1-A': encode it"),
        (
            list(pd.date_range("2024", periods=N).strftime("%Y-%m")),
            "^X must hold numbers, but column 'weekday' holds text such as '2024-01': if it is "
            r"the time of the rows, make it times with pd.to_datetime\(…\) and set them as the "
            "index, or derive numbers from them, such as the hour$",
        ),
        (
            list(pd.date_range("2024", periods=N).strftime("%d.%m.%Y")),
            r"'01.01.2024': .* with pd.to_datetime\(…, dayfirst=True\), or False where the month "
            "is first, and set them as the index",
        ),
        (["7/1/24 0:00", "7/1/24 1:00"] * 30, "such as '7/1/24 0:00': if it is the time"),
    ],
    ids=[
        "text",
        "category",
        "dates",
        "durations",
        "of a time zone",
        "days",
        "missing text",
        "numbered text",
        "months as text",
        "days as text",
        "hours as text",
    ],
)
def test_a_column_of_other_things_than_numbers_is_named(estimator, values, message):
    frame = shop().assign(weekday=values)
    with pytest.raises(ValueError, match=message):
        estimator.fit(frame, np.arange(N) % 2)


def test_an_encoder_before_the_windows_needs_no_number_of_columns():
    from sklearn.compose import make_column_transformer

    frame = shop().assign(weekday=["Mon", "Tue", "Wed"] * 20)
    columns = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["weekday"]), remainder="passthrough"
    )
    forecaster = LSTMForecaster(epochs=1, random_state=0)
    piped = make_pipeline(columns, LookbackWindower(4), forecaster).fit(frame, frame["sold"] + 1)
    assert piped[-1].window_shape_ == (4, 6)
    sparse = make_pipeline(OneHotEncoder(), LookbackWindower(4), forecaster)
    with pytest.raises(TypeError, match=r"^X must be dense, got sparse data: set sparse_output"):
        sparse.fit(frame[["weekday"]], frame["sold"])


@pytest.mark.parametrize("kind", ["Datetime", "Date"])
def test_times_of_polars_are_no_numbers(kind):
    pl = pytest.importorskip("polars")
    days = pl.Series("day", list(pd.date_range("2024", periods=20).to_pydatetime()))
    frame = pl.DataFrame({"sold": np.arange(20.0), "day": days.cast(getattr(pl, kind))})
    with pytest.raises(ValueError, match="column 'day' holds times"):
        LookbackWindower(2).fit(frame)
    with pytest.raises(ValueError, match="column 'day' holds times"):
        LookbackWindower(2).fit(make_supervised(frame, target="sold")[0])
