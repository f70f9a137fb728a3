"""A fitted estimator as one HDF5 file, without pickle or anything that loading could execute.

Format 3. The first 512 bytes, which HDF5 skips (its "user block"), name the format and give the
SHA-256 digest of everything that follows, so that a truncated or modified file is refused before
HDF5 reads it. Then, as HDF5:

``/skl_lstm/estimator``
    A JSON text as bytes: :data:`FIELDS`.
``/skl_lstm/optimizer/<slot>``
    The optimizer's counter and slots.
``/skl_lstm/history``
    One row for each name in ``history``, one column for each epoch.
``/skl_lstm/states``
    States of a stateful network, one after the other.
``/model_weights``
    The weights, where Keras expects them. With the attributes that ``keras_layout`` adds, Keras
    can open the file too.

Format 2 had only the first fields of ``network``, and format 1 no ``window_scaling``.

To change the format: increase FORMAT, keep the reader of the previous format under its number in
READERS, and add a file of the new format to tests/files/model_files, written by the script
there. A new parameter of an estimator does not require this if its default gives the previous
behavior.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Callable, Collection
from dataclasses import asdict, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import check_choice, check_integer
from skl_lstm.files import hdf5, keras_layout
from skl_lstm.files.contents import Contents
from skl_lstm.files.json_text import parse_json
from skl_lstm.files.plain_values import (
    attribute_from_json,
    attribute_to_json,
    parameters_from_json,
    parameters_to_json,
)
from skl_lstm.files.whole_files import ModelFileError
from skl_lstm.network.network import Network
from skl_lstm.network.scaling import WindowScaling
from skl_lstm.training.settings import Settings
from skl_lstm.training.state import Trained, TrainingState

FORMAT = 3
HEADER_BYTES = 512
HEADER = re.compile(rb"skl_lstm model, format (\d{1,9})\n")
# What reads other files, by their first bytes.
READERS_OF_OTHERS = {
    b"PK\x03\x04": "; load_model reads files of save_model, and from_keras those of Keras",
    b"\x89HDF\r\n\x1a\n": "; from_keras reads files of Keras",
}
MAX_JSON_BYTES = 2**22
MAX_LAYERS = 1000
MAX_SLOTS = 1000

# State of an optimizer, of any shape, other than its counter and the vectors with one value per
# weight.
OTHER_SLOT = re.compile(r"other_\d+")

# Fields of the JSON text, all of them required.
FIELDS = {
    "estimator",  # name of the class
    "versions",  # of the packages that wrote the file; for information only
    "parameters",
    "network",
    "window_scaling",  # or null
    "window_shape",
    "n_features_in",
    "feature_names_in",  # or null
    "seed",
    "engine",
    "n_iter",
    "history",  # names
    "optimizer",  # shape of each slot
    "learnt",  # fitted attributes of the class other than the network
}

# Fields of ``network`` that earlier formats did not have; the defaults are what they meant.
NEW_IN_3 = {
    "dense_units",
    "dense_activation",
    "hidden_activation",
    "cell",
    "bidirectional",
    "all_steps",
    "l2",
}


def to_bytes(contents: Contents, settings: Settings) -> bytes:
    """Serialize a fitted estimator.

    Parameters
    ----------
    contents : Contents
        Contents of the estimator.
    settings : Settings
        Settings with which Keras compiles the network when it opens the file.

    Returns
    -------
    content : bytes
        Content of the file.

    Raises
    ------
    ModelFileError
        If a parameter cannot be stored in a file.
    """
    import h5py

    trained = contents.trained
    network, state = trained.network, trained.state
    optimizer = {name: _slot(name, value) for name, value in state.optimizer.items()}
    arrays = {f"skl_lstm/optimizer/{name}": value for name, value in optimizer.items()}
    arrays |= {
        path: part.astype("<f4")
        for path, part in zip(
            keras_layout.weight_paths(network), network.views(state.parameters), strict=True
        )
    }
    if state.n_epochs:
        arrays["skl_lstm/history"] = np.array(list(state.history.values()), dtype="<f8")
    if network.stateful:
        arrays["skl_lstm/states"] = np.concatenate(trained.states, dtype="<f4")
    description = {
        "estimator": contents.kind,
        "versions": _versions(),
        "parameters": parameters_to_json(contents.parameters),
        "network": asdict(network),
        "window_scaling": trained.scaling and asdict(trained.scaling),
        "window_shape": trained.window_shape,
        "n_features_in": contents.n_features_in,
        "feature_names_in": contents.feature_names_in,
        "seed": trained.seed,
        "engine": trained.engine,
        "n_iter": state.n_epochs,
        "history": list(state.history),
        "optimizer": {name: value.shape for name, value in optimizer.items()},
        "learnt": {
            name: attribute_to_json(name, value) for name, value in contents.learned.items()
        },
    }
    text = json.dumps(description, allow_nan=False).encode()
    arrays["skl_lstm/estimator"] = np.frombuffer(text, dtype=np.uint8)

    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=HEADER_BYTES, libver=("v108", "v108")) as file:
        for path, array in arrays.items():
            file.create_dataset(path, data=array)
        keras_layout.write(file, trained, settings)
    body = buffer.getvalue()[HEADER_BYTES:]
    return header(FORMAT, body) + body


def from_bytes(content: bytes) -> Contents:
    """Deserialize an untrusted file.

    Parameters
    ----------
    content : bytes
        Content of the file.

    Returns
    -------
    contents : Contents
        Contents of the estimator. Whether they fit a class is checked by the class.

    Raises
    ------
    ModelFileError, ValueError, TypeError, LookupError, ArithmeticError or AttributeError
        If the file is damaged, of a newer format, or not a model file; the caller adds its name.
    """
    return READERS[_format(content)](content)


def _versions() -> dict[str, str]:
    """Return the versions of the packages that write the file, for information only."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for name in ("skl_lstm", "h5py", "numpy", "scikit-learn"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # a copy of the sources, not installed
            versions[name] = "unknown"
    return versions


def header(number: int, body: bytes | memoryview) -> bytes:
    """Return the header of a file with this format and body."""
    digest = hashlib.sha256(body).hexdigest()
    text = f"skl_lstm model, format {number}\nsha256 {digest}\n"
    return text.encode().ljust(HEADER_BYTES, b"\0")


def _format(content: bytes) -> int:
    """Return the format of a file, after checking that it is unchanged."""
    match = HEADER.match(content)
    if match is None:
        other = (what for start, what in READERS_OF_OTHERS.items() if content.startswith(start))
        raise ModelFileError(
            f"it is not a file written by save(): its header is missing{next(other, '')}"
        )
    number = int(match[1])
    if number > FORMAT:
        raise ModelFileError(
            f"it is of format {number}, newer than format {FORMAT}, the newest that this version "
            "of skl_lstm reads: update skl_lstm"
        )
    if number not in READERS:
        raise ModelFileError(f"it is of format {number}, which no version of skl_lstm wrote")
    if content[:HEADER_BYTES] != header(number, memoryview(content)[HEADER_BYTES:]):
        raise ModelFileError("it is damaged: its checksum does not match its content")
    return number


def _read_1(content: bytes) -> Contents:
    return _read(content, without={"window_scaling", *NEW_IN_3})


def _read_2(content: bytes) -> Contents:
    return _read(content, without=NEW_IN_3)


def _read(content: bytes, without: Collection[str] = ()) -> Contents:
    """Read a file that has all the fields, and all those of the network, but some."""
    with hdf5.opened(content) as file:
        text = hdf5.read(file, "skl_lstm/estimator", ["|u1"], None, MAX_JSON_BYTES)
    if text.ndim != 1:
        raise ModelFileError(f"skl_lstm/estimator must be of one dimension, got {text.ndim}")
    description = _checked_description(parse_json(text.tobytes()), without)
    parameters = parameters_from_json(description["parameters"])
    network = _network(description["network"], without)
    window_shape = _window_shape(description, network)
    scaling = _window_scaling(description.get("window_scaling"))
    if scaling is not None:
        scaling.check(window_shape[1], network)
    learned = {}
    n_bytes = len(content)
    for name, value in description["learnt"].items():
        learned[name] = attribute_from_json(name, value, n_bytes)
        n_bytes -= getattr(learned[name], "nbytes", 0)

    expected = _expected(description, network)
    if sum(array.n_bytes for array in expected.values()) > len(content):
        raise ModelFileError("its arrays claim to be larger than the file")
    with hdf5.opened(content) as file:
        hdf5.check_names(file, ["skl_lstm/estimator", *expected])
        arrays = {
            name: hdf5.read(
                file, name, [array.dtype], array.shape, len(content), finite=array.finite
            )
            for name, array in expected.items()
        }
    state = TrainingState(
        network.flatten([arrays[path] for path in keras_layout.weight_paths(network)]),
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
    seed, engine = description["seed"], description["engine"]
    return Contents(
        description["estimator"],
        parameters,
        Trained(network, window_shape, seed, engine, state, states, scaling),
        learned,
        description["n_features_in"],
        description["feature_names_in"],
    )


# By format number. A reader stays when a newer format is added.
READERS: dict[int, Callable[[bytes], Contents]] = {1: _read_1, 2: _read_2, 3: _read}


class _Array(NamedTuple):
    """An array that is expected according to the JSON text."""

    dtype: str
    shape: tuple[int, ...]
    finite: bool = True

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def _expected(description: dict[str, Any], network: Network) -> dict[str, _Array]:
    arrays = {
        path: _Array("<f4", shape)
        for path, shape in zip(keras_layout.weight_paths(network), network.shapes, strict=True)
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


def _checked_description(description: Any, without: Collection[str]) -> dict[str, Any]:
    """Check the fields of the JSON text that have no function of their own."""
    wanted = FIELDS.difference(without)
    if not isinstance(description, dict) or set(description) != wanted:
        raise ModelFileError(f"its JSON text must have the fields {', '.join(sorted(wanted))}")
    if not isinstance(description["learnt"], dict):
        raise ModelFileError(f"learnt must be a dict, got {description['learnt']!r}")
    names = description["feature_names_in"]
    check_integer("n_features_in", description["n_features_in"])
    if names is not None and not (_are(str, names) and len(names) == description["n_features_in"]):
        raise ModelFileError("feature_names_in must be null or n_features_in strings")
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


def _network(sizes: Any, without: Collection[str]) -> Network:
    names = [each.name for each in fields(Network) if each.name not in without]
    if not isinstance(sizes, dict) or set(sizes) != set(names):
        raise ModelFileError(f"network must have {', '.join(names)}")
    layers = {}
    for name in ("units", "dense_units"):
        n_units = sizes.get(name, [])
        if not _are(int, n_units):
            raise ModelFileError(f"{name} must be a list of integers, got {n_units!r}")
        if len(n_units) > MAX_LAYERS:
            raise ModelFileError(f"network has {len(n_units)} layers, more than {MAX_LAYERS}")
        layers[name] = tuple(n_units)
    return Network(**{**sizes, **layers})


def _window_scaling(value: Any) -> WindowScaling | None:
    if value is None:
        return None
    names = [each.name for each in fields(WindowScaling)]
    if not isinstance(value, dict) or set(value) != set(names):
        raise ModelFileError(f"window_scaling must be null or have {', '.join(names)}")
    if not (_are(int, value["columns"]) and _are(float, value["unit"])):
        raise ModelFileError("window_scaling must have lists of integers and of numbers")
    return WindowScaling(
        **{**value, "columns": tuple(value["columns"]), "unit": tuple(value["unit"])}
    )


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


def _are(kind: type, values: Any) -> bool:
    return isinstance(values, list) and all(type(each) is kind for each in values)
