"""LSTM time-series forecasting as scikit-learn estimators."""

from ._backtesting import backtest
from ._classifier import LSTMClassifier
from ._files import ModelFileError
from ._forecaster import LSTMForecaster
from ._forecasting import forecast
from ._intervals import forecast_interval
from ._plotting import ForecastDisplay, LossCurveDisplay
from ._skops import load_model, save_model
from ._stream import LSTMStream
from ._windowing import LookbackWindower, make_supervised
from .datasets import load_airline_passengers

__all__ = [
    "ForecastDisplay",
    "LSTMClassifier",
    "LSTMForecaster",
    "LSTMStream",
    "LookbackWindower",
    "LossCurveDisplay",
    "ModelFileError",
    "backtest",
    "forecast",
    "forecast_interval",
    "load_airline_passengers",
    "load_model",
    "make_supervised",
    "save_model",
]

__version__ = "0.1.0"
