"""The machine code that runs is that of the sources as they are, whatever lies in the cache."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from problems import N_ROWS, problem, trainer_of

import skl_lstm
from skl_lstm.engines.native.kernels import entry

PROGRAM = """
import numpy as np, skl_lstm
from skl_lstm import LSTMForecaster
X = np.random.default_rng(0).normal(size=(9, 3))
model = LSTMForecaster(units=2, epochs=1, optimizer="sgd", engine="native", random_state=0)
print(skl_lstm.__file__, model.fit(X, X[:, 0]).weights_[0].tobytes().hex())
"""


@pytest.mark.slow
def test_a_change_in_any_file_of_the_kernel_is_compiled(tmp_path):
    package = tmp_path / "skl_lstm"
    shutil.copytree(
        Path(skl_lstm.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )

    def weights():
        done = subprocess.run(
            [sys.executable, "-B", "-c", PROGRAM],
            cwd=tmp_path,
            env={
                **os.environ,
                "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
                "NUMBA_OPT": "1",
                "PYTHONPATH": str(tmp_path),
            },
            check=True,
            capture_output=True,
            text=True,
        )
        file, weights = done.stdout.split()
        assert Path(file).parent == package
        return weights

    before = weights()
    assert list((tmp_path / "cache").rglob("*.nbi")), "nothing was cached"
    changed = package / "engines" / "native" / "kernels" / "optimizers.py"
    source, times = changed.read_text(), changed.stat()
    line = "change = rate * load(gradient, j)"
    assert source.count(line) == 1
    changed.write_text(source.replace(line, line.replace("rate", "-rate")))
    os.utime(changed, ns=(times.st_atime_ns, times.st_mtime_ns))  # as wheels do
    assert weights() != before
    changed.write_text(source)
    assert weights() == before


def test_a_read_only_buffer_compiles_nothing_new():
    arguments = problem()
    arguments["buffer"].flags.writeable = False
    trainer_of(problem()).epoch(np.arange(N_ROWS))
    n_signatures = len(entry.run_batches.compiled.signatures)
    trainer_of(arguments).epoch(np.arange(N_ROWS))
    assert len(entry.run_batches.compiled.signatures) == n_signatures
