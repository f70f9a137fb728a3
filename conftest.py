"""A test that needs what is not installed is skipped, and says what it needs."""

import importlib.util

import pytest

# What only an extra installs, by the doctests that use it.
EXAMPLES = {
    "matplotlib": ["ForecastDisplay", "LossCurveDisplay"],
    "onnxruntime": ["register_onnx_converters", "to_onnx"],
    "skl2onnx": ["register_onnx_converters"],
    "skops": ["load_model", "save_model"],
}


def is_installed(name):
    return importlib.util.find_spec(name) is not None


# Importing them imports Keras.
collect_ignore_glob = [] if is_installed("keras") else ["skl_lstm/engines/keras/*"]


def pytest_runtest_setup(item):
    needed = {name for marker in item.iter_markers("needs") for name in marker.args}
    if isinstance(item, pytest.DoctestItem):
        example = item.name.rpartition(".")[2]
        needed |= {name for name, examples in EXAMPLES.items() if example in examples}
    if missing := [name for name in sorted(needed) if not is_installed(name)]:
        pytest.skip(f"needs {' and '.join(missing)}")
