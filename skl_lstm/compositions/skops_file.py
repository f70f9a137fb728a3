"""Whole models, such as pipelines, in one file without pickle, through skops."""

from __future__ import annotations

import io
import math
import os
import zipfile
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skl_lstm.checks import check_installed
from skl_lstm.compositions.parts import parts
from skl_lstm.estimators.interchange import Interchange, save_to_bytes
from skl_lstm.files.json_text import parse_json
from skl_lstm.files.model_file import HEADER
from skl_lstm.files.whole_files import (
    MAX_EXPANSION,
    ModelFileError,
    read_whole,
    refusing,
    write_whole,
)

# Types of this package, under the names that they have in files: first the current ones, then
# those of earlier versions.
TRUSTED = (
    "skl_lstm.KnownRowsRegressor",
    "skl_lstm.LSTMClassifier",
    "skl_lstm.LSTMForecaster",
    "skl_lstm.LookbackWindower",
    "skl_lstm.Network",
    "skl_lstm.SeriesScaledRegressor",
    "skl_lstm.WindowScaling",
    "skl_lstm._classifier.LSTMClassifier",
    "skl_lstm._forecaster.LSTMForecaster",
    "skl_lstm._network.Network",
    "skl_lstm._windowing.LookbackWindower",
)

# Number of bytes that an archive may unpack to beyond MAX_EXPANSION times its own size.
SMALL = 2**26
SCHEMA = "schema.json"
MAX_SCHEMA_BYTES = 2**25


def save_model(model: BaseEstimator, path: str | os.PathLike[str]) -> None:
    """Save a whole model, such as a pipeline with scalers around a forecaster, to one file.

    Parameters
    ----------
    model : estimator
        Any composition of estimators of scikit-learn and this package.
    path : str or path-like
        Path of the file; by convention its name ends in ``.skops``. An existing file is replaced
        in one step, or stays intact if that fails.

    Raises
    ------
    ModelFileError
        If :func:`load_model` could not load the file: the model holds objects whose types belong
        to neither scikit-learn, NumPy nor this package, such as user-defined functions and
        classes or callbacks. The message names them, and nothing is written.
    OSError
        If the file cannot be written.
    ImportError
        If skops is not installed: ``pip install "skl-lstm[skops]"``.

    See Also
    --------
    LSTMForecaster.save : Saves only the forecaster, also for use by Keras and services.

    Notes
    -----
    The file has the format of `skops
    <https://skops.readthedocs.io/en/stable/persistence.html>`_. To save a search, pass its
    ``best_estimator_``. Decision trees, and so forests and gradient boosting, are refused: a tree
    that was tampered with can read memory outside it, and no check of types would notice. For
    them, and for files that you trust, use ``joblib.dump``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from skl_lstm import LookbackWindower, LSTMForecaster, make_supervised
    >>> from skl_lstm import load_airline_passengers, load_model, save_model
    >>> X, y = make_supervised(load_airline_passengers() / 1000)
    >>> forecaster = LSTMForecaster(units=4, epochs=2, random_state=0)
    >>> model = make_pipeline(MinMaxScaler(), LookbackWindower(look_back=3), forecaster)
    >>> model = model.fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(model, Path(folder) / "model.skops")
    ...     loaded = load_model(Path(folder) / "model.skops")
    >>> bool((loaded.predict(X) == model.predict(X)).all())
    True
    """
    check_installed("save_model", "skops", "skops")
    import skops.io

    try:
        content = skops.io.dumps(model, compression=zipfile.ZIP_DEFLATED)
        # A model that could not be loaded is not saved: better to find out now than months
        # later.
        _loads(content)
    except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
        best = "; save its best_estimator_" if hasattr(model, "best_estimator_") else ""
        raise ModelFileError(f"the model cannot be saved: {error}{best}") from error
    write_whole(path, content)


def load_model(path: str | os.PathLike[str]) -> Any:
    """Load a model from a file written by :func:`save_model`.

    Parameters
    ----------
    path : str or path-like
        Path of the file. It is safe to load files from untrusted sources: only objects of types
        from this package and of types that skops trusts are created, since others could execute
        arbitrary code.

    Returns
    -------
    model : estimator
        The model as it was saved.

    Raises
    ------
    ModelFileError
        If the file is damaged or holds an object of another type; the message names it.
    OSError
        If the file cannot be read.
    ImportError
        If skops is not installed: ``pip install "skl-lstm[skops]"``.

    Examples
    --------
    See :func:`save_model`.

    >>> from skl_lstm import load_model
    >>> load_model("no such file.skops")
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'no such file.skops'
    """
    check_installed("load_model", "skops", "skops")
    content = read_whole(path)
    try:
        return _loads(content)
    except ModelFileError as error:
        raise ModelFileError(f"{os.fspath(path)}: {error}") from error


def _loads(content: bytes) -> Any:
    import skops.io

    if HEADER.match(content):
        raise ModelFileError(
            "it was written by save(): LSTMForecaster.load or LSTMClassifier.load reads it"
        )
    with refusing("skops cannot read it"):
        _check_sizes(content)
        unknown = set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED)
        if unknown:
            raise ModelFileError(
                f"it holds objects of types that are not trusted: {', '.join(sorted(unknown))}"
            )
        model = skops.io.loads(content, trusted=list(TRUSTED))
        # skops checks only types, but values that our own format rejects could crash the kernel.
        for part in parts(model):
            if isinstance(part, Interchange) and hasattr(part, "weights_"):
                save_to_bytes(part)
        return model


def _check_sizes(content: bytes) -> None:
    """Refuse an archive whose members claim too large a size, before they are read."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        size = sum(member.file_size for member in members)
        if size > MAX_EXPANSION * len(content) + SMALL:
            raise ModelFileError(f"its parts claim {size} bytes, too many for a file of this size")
        schema, *arrays = sorted(members, key=lambda member: member.filename != SCHEMA)
        if schema.filename != SCHEMA or schema.file_size > MAX_SCHEMA_BYTES:
            raise ModelFileError(f"it holds no {SCHEMA} of at most {MAX_SCHEMA_BYTES} bytes")
        parse_json(archive.read(schema))
        for array in arrays:
            # skops also reads archives within the archive, whose sizes cannot be checked.
            if not array.filename.endswith(".npy"):
                raise ModelFileError(f"{array.filename!r:.80} is not part of a model")
            _check_array(archive.read(array))


def _check_array(content: bytes) -> None:
    stream = io.BytesIO(content)
    major, _ = np.lib.format.read_magic(stream)
    read_header = (
        np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read_header(stream)
    if math.prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ModelFileError(f"it holds an array whose size does not match its shape {shape}")
