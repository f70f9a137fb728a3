"""Reader of the files that Keras saves, without Keras: JSON and arrays."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.files import hdf5
from skl_lstm.files.json_text import parse_json
from skl_lstm.files.keras_config import BATCHES, chain, directions, inner, parts_of
from skl_lstm.files.whole_files import MAX_EXPANSION, ModelFileError, refusing
from skl_lstm.network.cells import CELLS
from skl_lstm.training.keras_parts import Config, Parts

# Names that Keras does not make from that of the class by writing it in lower case.
_GROUPS = {BATCHES: "batch_normalization"}

# Where an archive has the weights in the group of a layer, if not in "vars".
_PLACES = {
    **{cell.keras_class: ("cell/vars",) for cell in CELLS.values()},
    "Bidirectional": ("forward_layer/cell/vars", "backward_layer/cell/vars"),
}

MAX_CONFIG_BYTES = 2**24

# Maximum number of nested groups in which Keras repeats the name of a layer or of its model.
MAX_REPEATED = 8


def read_model(content: bytes) -> Parts:
    """Read an untrusted ``.keras`` or HDF5 file.

    Parameters
    ----------
    content : bytes
        Content of the file.

    Returns
    -------
    parts : Parts
        Config, weights and optimizer state, as far as the file has them.

    Raises
    ------
    ModelFileError
        If it is not a Keras file, or is damaged.
    ValueError
        If a layer is not supported.
    """
    if content.startswith(b"PK"):
        return _read_archive(content)
    found: dict[str, list[Config]] = {"model": [], "training": []}
    for text in hdf5.texts(content):
        value = parse_json(text) if text.startswith(b"{") else {}
        if "class_name" in value:
            found["model"].append(value)
        elif "optimizer_config" in value:
            found["training"].append(value)
    if len(found["model"]) != 1:
        raise ModelFileError("it is not an HDF5 file with the config of one Keras model")
    (config,) = found["model"]
    compiled = {}
    for training in found["training"][:1]:
        compiled = {**training, "optimizer": training["optimizer_config"]}
    _, layers = chain(config)
    with hdf5.opened(content) as file:
        paths = []
        for layer in layers:
            group = _innermost(file, f"model_weights/{layer['config']['name']}")
            for each in directions(layer):
                place = group
                if each is not layer:
                    place = _innermost(file, f"{group}/{each['config']['name']}")
                paths += [f"{place}/{part}" for part in parts_of(each)]
        weights = hdf5.read_many(file, paths, len(content))
        state: dict[str, NDArray] | None = {}
        if "optimizer_weights" in hdf5.children(file):
            state = _named_state(file, paths, weights, len(content))
    return Parts(config, compiled, weights, optimizer_state=state)


def _innermost(file: Any, path: str) -> str:
    """Follow groups that hold only one group: Keras repeats the names of layers."""
    for _ in range(MAX_REPEATED):
        inner = hdf5.children(hdf5.find(file, path))
        if len(inner) != 1:
            return path
        path = f"{path}/{inner.pop()}"
    raise ModelFileError(f"{path} is nested deeper than Keras nests names")


def _named_state(
    file: Any, paths: list[str], weights: list[NDArray], n_bytes: int
) -> dict[str, NDArray] | None:
    """Read the optimizer's variables, which are named after the weights they belong to.

    Return None if some of them have other names, since they could not be identified.
    """
    group = _innermost(file, "optimizer_weights")
    names = hdf5.children(hdf5.find(file, group)) - {"learning_rate"}
    prefixes = ["_".join(path.split("/")[2:]) + "_" for path in paths]
    slots = sorted(
        name.removeprefix(prefixes[0]) for name in names if name.startswith(prefixes[0])
    )
    expected = {f"{prefix}{slot}" for prefix in prefixes for slot in slots}
    if names != {"iteration", *expected}:
        return None
    state = {}
    (state["iteration"],) = hdf5.read_many(file, [f"{group}/iteration"], n_bytes)
    for slot in slots:
        parts = [f"{group}/{prefix}{slot}" for prefix in prefixes]
        values = hdf5.read_many(file, parts, n_bytes)
        if [value.shape for value in values] != [weight.shape for weight in weights]:
            return None
        state[slot] = np.concatenate([value.ravel() for value in values], dtype=np.float32)
    return state


def _read_archive(content: bytes) -> Parts:
    with (
        refusing("it is not a Keras archive"),
        zipfile.ZipFile(io.BytesIO(content)) as archive,
    ):
        config, stored = (
            _member(archive, name, len(content)) for name in ("config.json", "model.weights.h5")
        )
    model = parse_json(config)
    _, layers = chain(model)
    paths = []
    seen: Counter[str] = Counter()
    for layer in layers:
        kind = layer["class_name"]
        # Keras numbers the layers of a class, except the first one.
        group = f"layers/{_GROUPS.get(kind, kind.lower())}_{seen[kind]}".removesuffix("_0")
        seen[kind] += 1
        parts = parts_of(inner(layer))
        paths += [
            f"{group}/{place}/{number}"
            for place in _PLACES.get(kind, ("vars",))
            for number in range(len(parts))
        ]
    with hdf5.opened(stored) as file:
        weights = hdf5.read_many(file, paths, len(stored))
        variables = []
        if "optimizer" in hdf5.children(file):
            group = hdf5.find(file, "optimizer/vars")
            paths = [f"optimizer/vars/{number}" for number in range(len(hdf5.children(group)))]
            variables = hdf5.read_many(file, paths, len(stored))
    return Parts(model, model.get("compile_config") or {}, weights, variables)


def _member(archive: zipfile.ZipFile, name: str, n_bytes: int) -> bytes:
    size = archive.getinfo(name).file_size
    if size > (MAX_CONFIG_BYTES if name == "config.json" else MAX_EXPANSION * n_bytes):
        raise ModelFileError(f"its {name} claims {size} bytes")
    return archive.read(name)
