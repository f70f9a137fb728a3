"""LSTM time-series forecasting as scikit-learn estimators."""

import sys as _sys

from skl_lstm.compositions.onnx_converters import register_onnx_converters
from skl_lstm.compositions.onnx_file import to_onnx
from skl_lstm.compositions.skops_file import load_model, save_model
from skl_lstm.datasets import load_airline_passengers
from skl_lstm.engines.choice import load_kernel
from skl_lstm.estimators.classifier import LSTMClassifier
from skl_lstm.estimators.forecaster import LSTMForecaster
from skl_lstm.estimators.known_rows import KnownRowsRegressor
from skl_lstm.estimators.series_scaled import SeriesScaledRegressor
from skl_lstm.estimators.stream import LSTMStream
from skl_lstm.files.whole_files import ModelFileError
from skl_lstm.forecasting.backtest import backtest
from skl_lstm.forecasting.backtest_result import Backtest
from skl_lstm.forecasting.forecast import forecast
from skl_lstm.forecasting.intervals import forecast_interval
from skl_lstm.forecasting.scorer import forecast_scorer
from skl_lstm.model_selection.panel_scorer import panel_scorer
from skl_lstm.model_selection.panel_split import PanelTimeSeriesSplit
from skl_lstm.network.network import Network
from skl_lstm.network.scaling import WindowScaling
from skl_lstm.plotting.forecast_display import ForecastDisplay
from skl_lstm.plotting.loss_display import LossCurveDisplay
from skl_lstm.versions import show_versions
from skl_lstm.warn import SeriesWarning
from skl_lstm.windowing.grouped_windows import GroupedWindows
from skl_lstm.windowing.supervised import make_supervised
from skl_lstm.windowing.window_array import WindowArray
from skl_lstm.windowing.windower import LookbackWindower

__all__ = [
    "Backtest",
    "ForecastDisplay",
    "GroupedWindows",
    "KnownRowsRegressor",
    "LSTMClassifier",
    "LSTMForecaster",
    "LSTMStream",
    "LookbackWindower",
    "LossCurveDisplay",
    "ModelFileError",
    "Network",
    "PanelTimeSeriesSplit",
    "SeriesScaledRegressor",
    "SeriesWarning",
    "WindowArray",
    "WindowScaling",
    "backtest",
    "forecast",
    "forecast_interval",
    "forecast_scorer",
    "load_airline_passengers",
    "load_kernel",
    "load_model",
    "make_supervised",
    "panel_scorer",
    "register_onnx_converters",
    "save_model",
    "show_versions",
    "to_onnx",
]

__version__ = "0.2.0.dev0"

# Pickles and skops files refer to the public names by skl_lstm, not by subpackage, so that
# modules can move.
for _name in __all__:
    globals()[_name].__module__ = __name__

# Files of earlier versions refer to these former modules.
for _name in (
    "_backtesting",
    "_classifier",
    "_files",
    "_forecaster",
    "_forecasting",
    "_intervals",
    "_network",
    "_plotting",
    "_skops",
    "_stream",
    "_windowing",
):
    _sys.modules[f"{__name__}.{_name}"] = _sys.modules[__name__]
