"""Models and splits that the tests of forecasts share."""

from sklearn.linear_model import LinearRegression
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import LookbackWindower, LSTMForecaster

SPLITS = TimeSeriesSplit(2)


def lstm(**parameters):
    settings = {"units": 4, "epochs": 5, "learning_rate": 0.02, "random_state": 0}
    return LSTMForecaster(**{**settings, **parameters})


def piped(look_back=12, **parameters):
    return make_pipeline(MinMaxScaler(), LookbackWindower(look_back), lstm(**parameters))


def windows(look_back):
    return LookbackWindower(look_back, padding="edge")


def linear(look_back=12):
    return make_pipeline(windows(look_back), LinearRegression())


def beside(result):
    """Return the forecasts of a backtest of one model, with the naive ones beside them."""
    frame = result.frame
    of = {name: frame[frame["model"] == name] for name in frame["model"].unique()}
    model, naive, seasonal_naive = of.values()
    naive = {"naive": naive["forecast"], "seasonal_naive": seasonal_naive["forecast"]}
    return model.assign(**{name: values.to_numpy() for name, values in naive.items()})
