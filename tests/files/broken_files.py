"""Model files that are broken in every way that there is, from one that is whole.

``python tests/files/broken_files.py FOLDER FILE.h5`` makes them and loads each; it prints, as
JSON, what came of it. A process of its own does so in the tests, since a file may crash or hang
the one that reads it.
"""

import io
import json
import random
import sys
import time
from pathlib import Path

import h5py
import numpy as np

from skl_lstm import LSTMForecaster, ModelFileError
from skl_lstm.files.model_file import FORMAT, HEADER_BYTES, header

TEXT = "skl_lstm/estimator"


def signed(body):
    """Begin a file with the checksum that it ought to have."""
    return header(FORMAT, body) + body


def edited(content, edit):
    """Change a file as HDF5 and sign it anew."""
    buffer = io.BytesIO(content)
    with h5py.File(buffer, "r+") as file:
        edit(file)
    return signed(buffer.getvalue()[HEADER_BYTES:])


def with_text(content, text):
    """Put another JSON text in place of the file's."""

    def edit(file):
        del file[TEXT]
        file[TEXT] = np.frombuffer(text, dtype=np.uint8)

    return edited(content, edit)


def description(content):
    """Parse the file's JSON text."""
    with h5py.File(io.BytesIO(content), "r") as file:
        return json.loads(file[TEXT][()].tobytes())


def with_description(content, change):
    """Change what the JSON text says."""
    said = description(content)
    change(said)
    return with_text(content, json.dumps(said).encode())


def arrays(content):
    """Name all arrays of the file."""
    names = []
    with h5py.File(io.BytesIO(content), "r") as file:
        file.visititems(
            lambda name, thing: names.append(name) if isinstance(thing, h5py.Dataset) else None
        )
    return names


def dtype_of(content, name):
    """Tell the type of an array."""
    with h5py.File(io.BytesIO(content), "r") as file:
        return file[name].dtype


def cut(content, rng):
    """End the file at each tenth of its length, as it is and signed anew."""
    for tenth in range(10):
        end = len(content) * tenth // 10
        yield f"cut at {tenth} tenths", content[:end], "checksum" if tenth else "header is missing"
        if tenth:
            body = content[HEADER_BYTES:end]
            yield f"cut at {tenth} tenths, signed anew", signed(body), "HDF5 cannot read it"


def flipped(content, rng):
    """Change a byte somewhere."""
    for number in range(60):
        place = rng.randrange(len(content))
        changed = bytearray(content)
        changed[place] ^= rng.randrange(1, 256)
        yield (
            f"byte flipped, {number}",
            bytes(changed),
            ("checksum", "header is missing", "newer than"),
        )


def foreign(content, rng):
    """Give files that are something else."""
    other = io.BytesIO()
    with h5py.File(other, "w", userblock_size=HEADER_BYTES) as file:
        file["temperatures"] = np.arange(5.0)
    yield "empty", b"", "header is missing"
    yield "text", b"epoch,loss\n1,0.5\n", "header is missing"
    yield "pickle", b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00.", "header is missing"
    yield "random", rng.randbytes(5000), "header is missing"
    yield "HDF5 of something else", other.getvalue(), "header is missing"
    yield "signed nothing", signed(b""), "HDF5 cannot read it"
    yield "signed random", signed(rng.randbytes(5000)), "HDF5 cannot read it"
    yield "signed other HDF5", signed(other.getvalue()[HEADER_BYTES:]), f"{TEXT} is missing"
    body = content[HEADER_BYTES:]
    newer = header(FORMAT + 1, body) + body
    yield "newer format", newer, f"newer than format {FORMAT}"
    yield "format 0", header(0, body) + body, "format 0"


def rearranged(content, rng):
    """Put each array otherwise than it was written."""
    for name in arrays(content):
        is_float = np.dtype(dtype_of(content, name)) == "<f4"
        for how, edit, sentence in EDITS + (FLOAT_EDITS if is_float else []):

            def edit_one(file, name=name, edit=edit):
                group, _, last = name.rpartition("/")
                edit(file[group], last, file[name][()])

            yield f"{name}: {how}", edited(content, edit_one), sentence
    for name in ("model_weights", "skl_lstm", "skl_lstm/optimizer"):

        def add(file, name=name):
            file[f"{name}/surplus"] = np.zeros(3, dtype="<f4")

        def remove(file, name=name):
            del file[name]

        yield f"one more in {name}", edited(content, add), f"/{name}/surplus is not part"
        yield f"no {name}", edited(content, remove), "is missing"
    yield "one more at the root", edited(content, lambda file: file.create_group("x")), "/x is no"


def replaced(make):
    """Take an array away and let `make` put something in its place."""

    def edit(group, name, values):
        del group[name]
        make(group, name, values)

    return edit


def _stored(group, name, values, **how):
    group.create_dataset(name, data=values, **how)


def _claimed(group, name, values):
    space = h5py.h5s.create_simple((10**12,))
    h5py.h5d.create(group.id, name.encode(), h5py.h5t.py_create(values.dtype), space)


def _chunked_claim(group, name, values):
    group.create_dataset(name, shape=(10**12,), dtype=values.dtype, chunks=(1024,))


def _virtual(group, name, values):
    layout = h5py.VirtualLayout(shape=values.shape or (1,), dtype=values.dtype)
    layout[:] = h5py.VirtualSource("other.h5", "secret", shape=values.shape or (1,))
    group.create_virtual_dataset(name, layout)


def _external(group, name, values):
    files = [("other.bin", 0, max(values.nbytes, 1))]
    group.create_dataset(name, shape=values.shape or (1,), dtype=values.dtype, external=files)


def _first_made(value):
    def make(group, name, values):
        values = np.array(values)
        values.reshape(-1)[0] = value
        _stored(group, name, values)

    return make


def _linked(link):
    def make(group, name, values):
        group[name] = link

    return make


PIECE = "is not stored in one piece"
LINK = "is a link to elsewhere"
EDITS = [
    ("missing", replaced(lambda *_: None), "is missing"),
    ("a group", replaced(lambda group, name, _: group.create_group(name)), "is not an array"),
    ("double", replaced(lambda g, n, v: _stored(g, n, v.astype("<f8").astype("<c16"))), "dtype"),
    ("big-endian", replaced(lambda g, n, v: _stored(g, n, v.astype(">i4"))), "dtype"),
    ("text", replaced(lambda g, n, v: g.create_dataset(n, data="weights")), "dtype"),
    ("axes more", replaced(lambda g, n, v: _stored(g, n, v[None, None])), ("shape", "dimension")),
    ("10^12 values", replaced(_claimed), ("must be of shape", "claims 1000000000000")),
    ("10^12 values in chunks", replaced(_chunked_claim), PIECE),
    (
        "compressed",
        replaced(lambda g, n, v: _stored(g, n, np.atleast_1d(v), compression=9)),
        PIECE,
    ),
    ("virtual", replaced(_virtual), PIECE),
    ("in another file", replaced(_external), PIECE),
    ("a soft link", replaced(_linked(h5py.SoftLink("/model_weights"))), LINK),
    ("an external link", replaced(_linked(h5py.ExternalLink("other.h5", "/secret"))), LINK),
]
FLOAT_EDITS = [
    ("NaN", replaced(_first_made(np.nan)), "holds a value that is not finite"),
    ("infinite", replaced(_first_made(-np.inf)), "holds a value that is not finite"),
]


def garbled(content, rng):
    """Put another text in place of the JSON text."""
    said = description(content)
    whole = json.dumps(said)
    yield "no JSON", with_text(content, b"once upon a time"), "JSON text cannot be read"
    yield "no UTF-8", with_text(content, b'{"a": "\xff\xfe"}'), "JSON text cannot be read"
    yield "half a JSON", with_text(content, whole[: len(whole) // 2].encode()), "cannot be read"
    yield "JSON list", with_text(content, b"[1, 2]"), "must have the fields"
    for opening in (b"[", b'{"a":'):
        deep = opening * 100_000
        yield f"deep {opening.decode()}", with_text(content, deep), "nested more than"
    yield "huge JSON", with_text(content, b" " * (2**22 + 1)), "more than 4194304"
    for number in ("NaN", "Infinity", "1e999", "9" * 5000):
        text = whole.replace('"seed": ', f'"seed": {number}, "x": ')
        yield f"number {number[:8]}", with_text(content, text.encode()), "JSON text cannot be read"


def misdescribed(content, rng):
    """Say otherwise what the file holds."""
    said = description(content)
    for field in sorted(said):
        yield f"no {field}", with_description(content, lambda d, f=field: d.pop(f)), "fields"
    yield "one field more", with_description(content, lambda d: d.update(code="x")), "fields"
    for field, wrong, sentence in WRONG:
        changed = with_description(content, lambda d, f=field, w=wrong: set_field(d, f, w))
        yield f"{field} = {str(wrong)[:40]}", changed, sentence


def set_field(said, path, value):
    """Set ``a.b`` of nested dicts."""
    *outer, last = path.split(".")
    for name in outer:
        said = said[name]
    said[last] = value


SLOT = "the shape of each slot"
WRONG = [
    ("estimator", "LSTMClassifier", "not of the class 'LSTMForecaster'"),
    ("estimator", ["os.system"], "not of the class 'LSTMForecaster'"),
    ("parameters", [], "parameters must be a JSON object"),
    ("parameters.command", "rm -r ~", "LSTMForecaster has no parameter command"),
    ("parameters.units", "4", "units must be a positive integer"),
    ("parameters.units", {"__tuple__": 3}, "not iterable"),
    ("parameters.units", -1, "units must be a positive integer"),
    ("parameters.epochs", 1.5, "epochs must be a positive integer"),
    ("parameters.dropout", 2, "dropout must be a number in [0, 1)"),
    ("parameters.engine", "os", "engine must be one of"),
    ("parameters.stateful", 1, "stateful must be one of"),
    ("parameters.learning_rate", -0.1, "learning_rate must be a positive number"),
    ("parameters.optimizer_kwargs", 3, "optimizer_kwargs must be a dict"),
    ("parameters.callbacks", ["os.system"], "callbacks must be null"),
    ("parameters.random_state", -1, "random_state must be an integer in"),
    ("parameters.random_state", "0", "random_state must be an integer in"),
    ("parameters.loss", 3, "a Keras object must be a name"),
    ("parameters.loss", {"class_name": "Lambda", "config": {}}, "not the name of one of Keras's"),
    (
        "parameters.loss",
        {"class_name": "Huber", "config": {}, "module": "os"},
        "not the name of one of Keras's",
    ),
    (
        "parameters.loss",
        {"class_name": "Huber", "config": {}, "registered_name": "evil>Huber"},
        "not the name of one of Keras's",
    ),
    (
        "parameters.optimizer",
        {"class_name": "Adam", "config": {"learning_rate": {"class_name": "x", "config": {}}}},
        "'x' is not the name of one of Keras's",
    ),
    (
        "parameters.optimizer",
        {"class_name": "Adam", "config": {"beta_1": {"class_name": "CosineDecay", "config": {}}}},
        "beta_1 of Adam must be a plain value",
    ),
    (
        "parameters.optimizer",
        {"class_name": "Adam", "config": []},
        "config of Adam must be a dict",
    ),
    ("parameters.metrics", ["mae", {"class_name": "eval"}], "a Keras object must be a name"),
    ("network", 4, "network must have"),
    ("network.units", [10**12], "must be of shape"),
    ("network.units", [], "units must be a tuple of positive integers"),
    ("network.units", ["4"], "must be a list of integers"),
    ("network.units", [0], "units must be a positive integer"),
    ("network.units", [4] * 1000, "must be of shape"),
    ("network.units", [5, 3], "must be of shape"),
    ("network.units", [1] * 500_000, "network has 500000 layers, more than 1000"),
    ("network.dense_units", [10**12], "must be of shape"),
    ("network.dense_units", 3, "dense_units must be a list of integers"),
    ("network.dense_units", [0], "dense_units must be a positive integer"),
    ("network.dense_units", [1] * 500_000, "network has 500000 layers, more than 1000"),
    ("network.dense_activation", "exec", "dense_activation must be one of"),
    ("network.hidden_activation", "exec", "hidden_activation must be one of"),
    ("network.cell", "gru", "the optimizer's momentum must be of shape"),
    ("network.bidirectional", "yes", "bidirectional must be one of"),
    ("network.bidirectional", True, "the optimizer's momentum must be of shape"),
    ("network.all_steps", None, "all_steps must be one of"),
    ("network.l2", -1.0, "l2 must be a number of at least 0"),
    ("network.cell", "exec", "cell must be one of"),
    ("network.n_steps", 10**15, "window_shape must fit"),
    ("network.n_features", 0, "n_features must be a positive integer"),
    ("network.n_outputs", 2.0, "n_outputs must be a positive integer"),
    ("network.n_outputs", 7, "must be of shape"),
    ("network.output_activation", "exec", "output_activation must be one of"),
    ("network.dropout", 1, "dropout must be a number"),
    ("network.stateful", "yes", "stateful must be one of"),
    ("network.stateful", False, "/skl_lstm/states is not part"),
    ("network.depth", 3, "network must have"),
    ("window_scaling", 4, "window_scaling must be null or have"),
    ("window_scaling", {"method": "last"}, "window_scaling must be null or have"),
    *(
        (
            "window_scaling",
            {"method": "last", "columns": [0], "unit": [1.0], "restores": True, **changes},
            message,
        )
        for changes, message in (
            ({}, "window_scaling must be None for a stateful network"),
            ({"method": "exec"}, "method must be one of"),
            ({"columns": [-1]}, "columns must be an integer of at least 0"),
            ({"columns": []}, "columns must be a tuple of positions"),
            ({"columns": [0, 0], "unit": [1.0, 1.0]}, "columns must all be different"),
            ({"columns": ["a"]}, "window_scaling must have lists of integers and of numbers"),
            ({"unit": [1]}, "window_scaling must have lists of integers and of numbers"),
            ({"unit": [0.0]}, "unit must be positive numbers"),
            ({"unit": [1.0, 2.0]}, "unit must be a tuple of 1"),
            ({"restores": 1}, "restores must be one of"),
        )
    ),
    ("window_shape", [3], "window_shape must fit"),
    ("window_shape", [2, 3], "window_shape must fit"),
    ("window_shape", "3x2", "window_shape must fit"),
    ("n_features_in", 5, "feature_names_in must be null or"),
    ("n_features_in", None, "n_features_in must be a positive integer"),
    ("feature_names_in", ["a"], "feature_names_in must be null or"),
    ("feature_names_in", [1] * 6, "feature_names_in must be null or"),
    ("seed", -1, "seed must be an integer"),
    ("engine", "tensorflow", "engine must be one of"),
    ("n_iter", "5", "n_iter must be an integer"),
    ("n_iter", 6, "must be of shape"),
    ("n_iter", 10**12, "claim to be larger than the file"),
    ("n_iter", 0, "history must be a list of names"),
    ("history", ["loss"], "must be of shape"),
    ("history", "loss", "history must be a list of names"),
    ("estimator", "a" * 10**6, "not of the class 'LSTMForecaster'"),
    ("optimizer", ["momentum"], "optimizer must name at most 1000 slots"),
    ("optimizer", {f"s{i}": [] for i in range(10**5)}, "optimizer must name at most 1000 slots"),
    ("optimizer.velocity", [3], "the optimizer's velocity must be of shape"),
    ("optimizer.momentum", [1], "the optimizer's momentum must be of shape"),
    ("optimizer.momentum", [10**12], "the optimizer's momentum must be of shape"),
    ("optimizer.iteration", [1], "the optimizer's iteration must be of shape"),
    ("optimizer.other_0", [3], "skl_lstm/optimizer/other_0 is missing"),
    ("optimizer.other_0", [10**12], "claim to be larger than the file"),
    ("optimizer.momentum", [10**19] * 100_000, SLOT),
    ("optimizer.momentum", [-1, -3], SLOT),
    ("optimizer.momentum", "many", SLOT),
    ("optimizer.a/b", [], SLOT),
    ("learnt", {}, "learnt must have _y_ndim"),
    (
        "learnt",
        {f"labels_{i}": {"dtype": "<U2000", "values": ["x"]} for i in range(20)},
        "to be larger than the file",
    ),
    *(
        ("learnt.quantiles_", {"dtype": "<f8", "values": values}, message)
        for values, message in (
            ([0.9, 0.5], "quantile must hold each number once, the smallest first"),
            ([0.1, 0.9], "quantile must hold 0.5, the median"),
            ([0.5, 1.5], "quantile must hold numbers in (0, 1)"),
            ([0.1, 0.2, 0.5, 0.8, 0.9], "outputs cannot predict the quantiles (0.1, 0.2, 0.5, "),
        )
    ),
    ("learnt.quantiles_", 3, "quantile must hold numbers in (0, 1)"),
    ("parameters.quantile", [0.1, 0.5], "quantile must be a number unless loss='pinball'"),
    ("learnt._y_ndim", 3, "cannot predict y of 3 dimensions"),
    ("learnt._y_ndim", "1", "_y_ndim must be an integer or an array"),
    (
        "learnt._y_ndim",
        {"dtype": "|O", "values": [["os"]]},
        "_y_ndim must be an array of plain values",
    ),
    (
        "learnt._y_ndim",
        {"dtype": "<U999999", "values": ["a"] * 99},
        "_y_ndim claims to be larger than the file",
    ),
]


def all_of(content, seed=0):
    """Yield, for every broken file, its name, its bytes, and what the error ought to say."""
    rng = random.Random(seed)
    for kind in (cut, flipped, foreign, rearranged, garbled, misdescribed):
        yield from kind(content, rng)


def forged(content, seed=1, n=150):
    """Yield files with changed bytes, signed anew: what a forger may write."""
    rng = random.Random(seed)
    for _ in range(n):
        body = bytearray(content[HEADER_BYTES:])
        for _ in range(rng.choice([1, 2, 8])):
            body[rng.randrange(len(body))] = rng.choice([0, 255, rng.randrange(256)])
        yield signed(bytes(body))


def outcome(path):
    """Load a file; say how that ended."""
    try:
        model = LSTMForecaster.load(path)
    except ModelFileError as error:
        return f"refused: {error}"
    except Exception as error:
        return f"another error: {error!r}"
    return f"loaded: {type(model).__name__}"


def main(folder, source):
    """Make the files, load each, and print how long the slowest took and what came of each."""
    folder, content = Path(folder), Path(source).read_bytes()
    (folder / "other.bin").write_bytes(bytes(10_000))
    with h5py.File(folder / "other.h5", "w") as file:
        file["secret"] = np.zeros(5)
    found, slowest = [], 0.0
    cases = [*all_of(content), *(("forged", each, "") for each in forged(content))]
    for name, broken, sentence in cases:
        path = folder / "model.h5"
        path.write_bytes(broken)
        start = time.perf_counter()
        found.append([name, sentence, outcome(path)])
        slowest = max(slowest, time.perf_counter() - start)
    print(json.dumps({"slowest": slowest, "found": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
