"""Whole models, pipelines and all, in one file without pickle, through skops."""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from . import _persistence
from ._base import BaseLSTM
from ._files import ModelFileError, parse_json, read_whole, write_whole

# The parts of an archive may be so many times as long as the archive, and so many bytes more.
MAX_EXPANSION = 100
SMALL = 2**26
SCHEMA = "schema.json"
MAX_SCHEMA_BYTES = 2**25


def save_model(model: BaseEstimator, path: str | os.PathLike[str]) -> None:
    """Write a whole model, such as a pipeline with scalers around a forecaster, to one file.

    Parameters
    ----------
    model : estimator
        Any composition of scikit-learn's estimators and this package's.
    path : str or path-like
        Where to; by custom the name ends in ``.skops``. What is there already is replaced in
        one step, or stays whole where that fails.

    Raises
    ------
    ModelFileError
        If :func:`load_model` would not load it again: the model holds objects of types that
        are neither scikit-learn's, NumPy's nor this package's, as functions and classes of the
        user's own or callbacks. The message names them, and nothing is written.
    OSError
        If the file cannot be written.
    ImportError
        If skops is not installed: ``pip install skops``.

    See Also
    --------
    LSTMForecaster.save : Writes a forecaster alone, for Keras and for services too.

    Notes
    -----
    The file is one of `skops <https://skops.readthedocs.io/en/stable/persistence.html>`_. A
    search is saved as what it found, its ``best_estimator_``.

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
    io_of_skops = _skops_io()
    try:
        content = io_of_skops.dumps(model, compression=zipfile.ZIP_DEFLATED)
        # What could not be loaded is not saved either: better known now than months later.
        _loads(content)
    except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
        raise ModelFileError(f"the model cannot be saved: {error}") from error
    write_whole(path, content)


def load_model(path: str | os.PathLike[str]) -> Any:
    """Read a model that :func:`save_model` wrote.

    Parameters
    ----------
    path : str or path-like
        The file. It may be of any origin: objects are made of types that skops trusts and of
        this package's alone, and of no others, which may run anything.

    Returns
    -------
    model : estimator
        As it was.

    Raises
    ------
    ModelFileError
        If the file is damaged or holds an object of another type; the message names it.
    OSError
        If the file cannot be read.
    ImportError
        If skops is not installed: ``pip install skops``.

    Examples
    --------
    See :func:`save_model`.

    >>> from skl_lstm import load_model
    >>> load_model("no such file.skops")
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'no such file.skops'
    """
    _skops_io()
    content = read_whole(path)
    try:
        return _loads(content)
    except ModelFileError as error:
        raise ModelFileError(f"{os.fspath(path)}: {error}") from error


def _skops_io() -> ModuleType:
    try:
        import skops.io
    except ImportError as error:
        raise ImportError("save_model and load_model need skops: pip install skops") from error
    return skops.io


def _trusted() -> list[str]:
    """Name this package's types: its public estimators and the networks that they hold."""
    import skl_lstm

    from ._network import Network

    public = [getattr(skl_lstm, name) for name in skl_lstm.__all__]
    estimators = [
        each for each in public if isinstance(each, type) and issubclass(each, BaseEstimator)
    ]
    return [f"{kind.__module__}.{kind.__name__}" for kind in (*estimators, Network)]


def _loads(content: bytes) -> Any:
    io_of_skops = _skops_io()
    trusted = _trusted()
    try:
        _check_sizes(content)
        unknown = set(io_of_skops.get_untrusted_types(data=content)) - set(trusted)
        if unknown:
            raise ModelFileError(
                f"it holds objects of types that are not trusted: {', '.join(sorted(unknown))}"
            )
        model = io_of_skops.loads(content, trusted=trusted)
        # skops looks at types alone. What our own format would not take could crash the kernel.
        for network in _fitted_networks(model):
            _persistence.check(network)
        return model
    except ModelFileError:
        raise
    except Exception as error:  # skops gives nearly every kind of error for a damaged file
        raise ModelFileError(f"skops cannot read it: {error!r}") from error


def _fitted_networks(model: Any) -> Iterator[BaseLSTM]:
    """Find the fitted forecasters and classifiers that a model holds."""
    seen: set[int] = set()
    found = [model]
    while found:
        thing = found.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, BaseLSTM) and hasattr(thing, "weights_"):
            yield thing
        elif isinstance(thing, BaseEstimator | dict):
            found += thing.values() if isinstance(thing, dict) else vars(thing).values()
        elif isinstance(thing, list | tuple):
            found += thing


def _check_sizes(content: bytes) -> None:
    """Refuse an archive whose members claim more than the file holds, before they are read."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        size = sum(member.file_size for member in members)
        if size > MAX_EXPANSION * len(content) + SMALL:
            raise ModelFileError(f"its parts claim {size} bytes, too many for such a file")
        schema, *arrays = sorted(members, key=lambda member: member.filename != SCHEMA)
        if schema.filename != SCHEMA or schema.file_size > MAX_SCHEMA_BYTES:
            raise ModelFileError(f"it holds no {SCHEMA} of at most {MAX_SCHEMA_BYTES} bytes")
        parse_json(archive.read(schema))
        for array in arrays:
            # Of what else skops reads, archives within the archive, sizes cannot be checked.
            if not array.filename.endswith(".npy"):
                raise ModelFileError(f"{array.filename!r:.80} is no part of a model")
            _check_array(archive.read(array))


def _check_array(content: bytes) -> None:
    stream = io.BytesIO(content)
    major, _ = np.lib.format.read_magic(stream)
    read_header = (
        np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read_header(stream)
    if math.prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ModelFileError(f"it holds an array said to be of shape {shape}, which it is not")
