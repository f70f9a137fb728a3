"""A fitted estimator as one HDF5 file: no pickle, nothing that loading could run.

Format 1. The first 512 bytes, which HDF5 passes over (its "user block"), name the format and
give the SHA-256 of all that follows, so that a file that was cut or changed is refused before
HDF5 looks into it. Then, as HDF5:

``/skl_lstm/estimator``
    A JSON text as bytes: :data:`FIELDS`.
``/skl_lstm/optimizer/<slot>``
    The optimiser's counter and slots.
``/skl_lstm/history``
    A row for each name of ``history``, a column for each epoch.
``/skl_lstm/states``
    Hidden and cell states of a stateful network, one after the other.
``/model_weights``
    The weights, where Keras has them; with the attributes of ``_keras_file`` the file is one
    of Keras's too.

To change the format: raise FORMAT, keep the reader of the format before under its number in
READERS, and add a file of the new format to tests/model_files, written by the script there. A
parameter of an estimator that is added later needs none of this where its default does what
was done before.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from . import _hdf5, _keras_file, _parameters
from ._checks import check_choice, check_fraction, check_integer
from ._files import ModelFileError, parse_json, read_whole, write_whole
from ._inference import ACTIVATIONS
from ._network import Network
from ._training import TrainingState

if TYPE_CHECKING:
    from ._base import BaseLSTM

Estimator = TypeVar("Estimator", bound="BaseLSTM")

FORMAT = 1
HEADER_BYTES = 512
HEADER = re.compile(rb"skl_lstm model, format (\d{1,9})\n")
MAX_JSON_BYTES = 2**22
MAX_LAYERS = 1000
MAX_SLOTS = 1000

# What an optimiser keeps beside its counter and a value for each weight, of any shape.
OTHER_SLOT = re.compile(r"other_\d+")

# Characters of a message, which quotes what it refuses.
MAX_MESSAGE = 500

# The JSON text: what every file has.
FIELDS = {
    "estimator",  # name of the class
    "versions",  # of the packages that wrote it; for people
    "parameters",
    "network",
    "window_shape",
    "n_features_in",
    "feature_names_in",  # or null
    "seed",
    "engine",
    "n_iter",
    "history",  # names
    "optimizer",  # shape of each slot
    "learnt",  # what the class itself learns beside the network
}

# Attributes of a class's own: of which NumPy dtypes an array may be.
LEARNT_DTYPE = re.compile(r"[<|][biuf][1248]|<U\d{1,6}|\|O")


def save(estimator: BaseLSTM, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator; see :meth:`BaseLSTM.save`."""
    check_is_fitted(estimator)
    write_whole(path, check(estimator))


def check(estimator: BaseLSTM) -> bytes:
    """Give a fitted estimator as a file, unless that could not be loaded again.

    Better known now than months later.
    """
    content = _write(estimator)
    _read(type(estimator), content, "the model")
    return content


def load(kind: type[Estimator], path: str | os.PathLike[str]) -> Estimator:
    """Read a fitted estimator; see :meth:`BaseLSTM.load`."""
    return _read(kind, read_whole(path), path)


def _write(estimator: BaseLSTM) -> bytes:
    import h5py

    import skl_lstm

    network, state = estimator.network_, estimator._state()
    optimizer = {name: _slot(name, value) for name, value in state.optimizer.items()}
    arrays = {f"skl_lstm/optimizer/{name}": value for name, value in optimizer.items()}
    arrays |= {
        path: part.astype("<f4")
        for path, part in zip(_keras_file.weight_paths(network), estimator.weights_, strict=True)
    }
    if state.n_epochs:
        arrays["skl_lstm/history"] = np.array(list(state.history.values()), dtype="<f8")
    if network.stateful:
        arrays["skl_lstm/states"] = np.concatenate(estimator.states_, dtype="<f4")
    names = getattr(estimator, "feature_names_in_", None)
    description = {
        "estimator": type(estimator).__name__,
        "versions": {each.__name__: each.__version__ for each in (skl_lstm, h5py, np, sklearn)},
        "parameters": _parameters.to_plain(estimator),
        "network": asdict(network),
        "window_shape": estimator.window_shape_,
        "n_features_in": int(estimator.n_features_in_),
        "feature_names_in": None if names is None else names.tolist(),
        "seed": estimator.seed_,
        "engine": estimator.engine_,
        "n_iter": state.n_epochs,
        "history": list(state.history),
        "optimizer": {name: value.shape for name, value in optimizer.items()},
        "learnt": {name: _encode(name, getattr(estimator, name)) for name in estimator._learnt},
    }
    text = json.dumps(description, allow_nan=False).encode()
    arrays["skl_lstm/estimator"] = np.frombuffer(text, dtype=np.uint8)

    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=HEADER_BYTES, libver=("v108", "v108")) as file:
        for path, array in arrays.items():
            file.create_dataset(path, data=array)
        _keras_file.write(file, network, estimator._settings(network, estimator.seed_))
    body = buffer.getvalue()[HEADER_BYTES:]
    return _header(FORMAT, body) + body


def _header(number: int, body: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(body).hexdigest()
    text = f"skl_lstm model, format {number}\nsha256 {digest}\n"
    return text.encode().ljust(HEADER_BYTES, b"\0")


def _read(kind: type[Estimator], content: bytes, path: str | os.PathLike[str]) -> Estimator:
    try:
        return READERS[_format(content)](kind, content)
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        raise ModelFileError(f"{os.fspath(path)}: {str(error)[:MAX_MESSAGE]}") from error


def _format(content: bytes) -> int:
    """Tell the format of a file that is as it was written."""
    match = HEADER.match(content)
    if match is None:
        raise ModelFileError("it was not written by save, whose files begin otherwise")
    number = int(match[1])
    if number > FORMAT:
        raise ModelFileError(
            f"it is of format {number}, newer than format {FORMAT}, the newest that this version "
            "of skl_lstm reads: update skl_lstm"
        )
    if number not in READERS:
        raise ModelFileError(f"it is of format {number}, which no version of skl_lstm wrote")
    if content[:HEADER_BYTES] != _header(number, memoryview(content)[HEADER_BYTES:]):
        raise ModelFileError("it is damaged: its checksum is not that of its content")
    return number


def _read_1(kind: type[Estimator], content: bytes) -> Estimator:
    with _hdf5.opened(content) as file:
        text = _hdf5.read(file, "skl_lstm/estimator", ["|u1"], None, MAX_JSON_BYTES)
    if text.ndim != 1:
        raise ModelFileError(f"skl_lstm/estimator must be of one dimension, got {text.ndim}")
    description = _check_description(kind, parse_json(text.tobytes()))
    estimator = _parameters.from_plain(kind, description["parameters"])
    network = _network(description["network"])
    window_shape = _window_shape(description, network)
    learnt = _learnt(estimator, description["learnt"], network, len(content))

    expected = _expected(description, network)
    if sum(array.n_bytes for array in expected.values()) > len(content):
        raise ModelFileError("its arrays are said to be larger than the file")
    with _hdf5.opened(content) as file:
        _hdf5.check_names(file, ["skl_lstm/estimator", *expected])
        arrays = {
            name: _hdf5.read(
                file, name, [array.dtype], array.shape, len(content), finite=array.finite
            )
            for name, array in expected.items()
        }
    state = TrainingState(
        network.flatten([arrays[path] for path in _keras_file.weight_paths(network)]),
        {name: arrays[f"skl_lstm/optimizer/{name}"] for name in description["optimizer"]},
        description["n_iter"],
        {
            name: row.tolist()
            for name, row in zip(
                description["history"], arrays.get("skl_lstm/history", ()), strict=True
            )
        },
    )
    states = network.states(arrays["skl_lstm/states"]) if network.stateful else []
    estimator._store(
        network,
        window_shape,
        description["seed"],
        description["engine"],
        state,
        states,
        learnt,
    )
    estimator.n_features_in_ = description["n_features_in"]
    if description["feature_names_in"] is not None:
        estimator.feature_names_in_ = np.array(description["feature_names_in"], dtype=object)
    return estimator


# By number of the format. A reader stays when a newer format comes.
READERS: dict[int, Callable[[type[Any], bytes], Any]] = {1: _read_1}


class _Array(NamedTuple):
    """What the JSON text lets expect of an array."""

    dtype: str
    shape: tuple[int, ...]
    finite: bool = True

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def _expected(description: dict[str, Any], network: Network) -> dict[str, _Array]:
    arrays = {
        path: _Array("<f4", shape)
        for path, shape in zip(_keras_file.weight_paths(network), network.shapes, strict=True)
    }
    for name, shape in description["optimizer"].items():
        dtype = "<i8" if name == "iteration" else "<f4"
        if not OTHER_SLOT.fullmatch(name):
            wanted = [] if name == "iteration" else [network.size]
            if shape != wanted:
                raise ModelFileError(
                    f"the optimizer's {name} must be of shape {wanted}, got {shape!r:.80}"
                )
        arrays[f"skl_lstm/optimizer/{name}"] = _Array(dtype, tuple(shape))
    if description["n_iter"]:
        shape = (len(description["history"]), description["n_iter"])
        arrays["skl_lstm/history"] = _Array("<f8", shape, finite=False)
    if network.stateful:
        arrays["skl_lstm/states"] = _Array("<f4", (network.states_size,))
    return arrays


def _slot(name: str, value: Any) -> NDArray:
    return np.asarray(value, dtype="<i8" if name == "iteration" else "<f4")


def _check_description(kind: type[Any], description: Any) -> dict[str, Any]:
    """Check what the JSON text says, but for what has a function of its own."""
    if not isinstance(description, dict) or set(description) != FIELDS:
        raise ModelFileError(f"its JSON text must have the fields {', '.join(sorted(FIELDS))}")
    if description["estimator"] != kind.__name__:
        raise ModelFileError(
            f"it holds an estimator of the class {description['estimator']!r:.80}, and "
            f"{kind.__name__} was to be loaded"
        )
    names = description["feature_names_in"]
    check_integer("n_features_in", description["n_features_in"])
    if names is not None and not (_are(str, names) and len(names) == description["n_features_in"]):
        raise ModelFileError("feature_names_in must be null or as many texts as n_features_in")
    check_integer("seed", description["seed"], minimum=0)
    check_choice("engine", description["engine"], ("native", "keras"))
    check_integer("n_iter", description["n_iter"], minimum=0)
    history = description["history"]
    if not _are(str, history) or bool(history) != bool(description["n_iter"]):
        raise ModelFileError("history must be a list of names, and empty before the first epoch")
    optimizer = description["optimizer"]
    if not isinstance(optimizer, dict) or len(optimizer) > MAX_SLOTS:
        raise ModelFileError(f"optimizer must name at most {MAX_SLOTS} slots")
    if not all(
        re.fullmatch(r"\w+", name)
        and _are(int, shape)
        and len(shape) <= 2
        and min(shape, default=1) > 0
        for name, shape in optimizer.items()
    ):
        raise ModelFileError("optimizer must give the shape of each slot")
    return description


def _network(sizes: Any) -> Network:
    names = [each.name for each in fields(Network)]
    if not isinstance(sizes, dict) or set(sizes) != set(names):
        raise ModelFileError(f"network must have {', '.join(names)}")
    if not _are(int, sizes["units"]) or not sizes["units"]:
        raise ModelFileError("units of the network must be a list of integers")
    if len(sizes["units"]) > MAX_LAYERS:
        raise ModelFileError(f"network has {len(sizes['units'])} layers, more than {MAX_LAYERS}")
    for name in ("n_steps", "n_features", "n_outputs"):
        check_integer(name, sizes[name])
    for n_units in sizes["units"]:
        check_integer("units", n_units)
    check_choice("output_activation", sizes["output_activation"], tuple(ACTIVATIONS))
    for name in ("dropout", "recurrent_dropout"):
        check_fraction(name, sizes[name])
    check_choice("stateful", sizes["stateful"], (True, False))
    return Network(**{**sizes, "units": tuple(sizes["units"])})


def _window_shape(description: dict[str, Any], network: Network) -> tuple[int, int]:
    shape = description["window_shape"]
    given = (network.n_steps, network.n_features)
    n_values = math.prod(given)
    fits = _are(int, shape) and len(shape) == 2 and min(shape) > 0 and math.prod(shape) == n_values
    if not fits or (network.n_steps > 1 and tuple(shape) != given):
        raise ModelFileError(f"window_shape must fit the network's {given}, got {shape!r}")
    if description["n_features_in"] not in (n_values, shape[0]):
        raise ModelFileError(
            f"n_features_in must be {n_values} or {shape[0]}, got {description['n_features_in']}"
        )
    return shape[0], shape[1]


def _learnt(estimator: BaseLSTM, encoded: Any, network: Network, n_bytes: int) -> dict[str, Any]:
    if not isinstance(encoded, dict) or set(encoded) != set(estimator._learnt):
        raise ModelFileError(f"learnt must have {', '.join(estimator._learnt)}")
    learnt = {name: _decode(name, value, n_bytes) for name, value in encoded.items()}
    estimator._check_learnt(learnt, network.n_outputs)
    return learnt


def _encode(name: str, value: Any) -> Any:
    """Say an attribute of a class's own: an integer, or an array of labels."""
    if isinstance(value, np.ndarray):
        array = value.astype(value.dtype.newbyteorder("<"))
        plain = all(isinstance(each, str | bool | int | float) for each in array.tolist())
        if not (plain and LEARNT_DTYPE.fullmatch(array.dtype.str)):
            raise ModelFileError(f"{name} must be numbers or texts to be saved, got {value.dtype}")
        return {"dtype": array.dtype.str, "values": array.tolist()}
    return value


def _decode(name: str, encoded: Any, n_bytes: int) -> Any:
    if type(encoded) is int:
        return encoded
    if not isinstance(encoded, dict) or set(encoded) != {"dtype", "values"}:
        raise ModelFileError(f"{name} must be an integer or an array, got {encoded!r}")
    dtype, values = encoded["dtype"], encoded["values"]
    plain = isinstance(values, list) and all(
        isinstance(each, str | bool | int | float) for each in values
    )
    if not (plain and LEARNT_DTYPE.fullmatch(dtype)):
        raise ModelFileError(f"{name} must be an array of plain values, got dtype {dtype!r}")
    if len(values) * np.dtype(dtype).itemsize > n_bytes:
        raise ModelFileError(f"{name} is said to be larger than the file")
    array = np.array(values, dtype=dtype)
    if array.tolist() != values:
        raise ModelFileError(f"the values of {name} are not of its dtype {dtype}")
    return array.astype(array.dtype.newbyteorder("="))


def _are(kind: type, values: Any) -> bool:
    return isinstance(values, list) and all(type(each) is kind for each in values)
