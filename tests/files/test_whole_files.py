"""A file is written as a whole or not at all, and the system's errors stay its own."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skl_lstm import LSTMForecaster, ModelFileError

HERE = Path(__file__).parent
X = np.random.default_rng(0).normal(size=(24, 6))
Y = np.tanh(X[:, :2])


def forecaster(**parameters):
    settings = {"units": 3, "features_per_step": 2, "epochs": 2, "random_state": 0}
    return LSTMForecaster(**{**settings, **parameters})


@pytest.mark.parametrize("load", [LSTMForecaster.load, LSTMForecaster.from_keras])
def test_what_the_system_says_of_a_path_stays_its_error(load, tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing.h5")
    with pytest.raises(OSError, match=re.escape(str(tmp_path))):
        load(tmp_path)


def test_a_path_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    model = forecaster().fit(X, Y)
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "none"))):
        model.save(tmp_path / "none" / "model.h5")
    with pytest.raises(OSError, match=re.escape(str(tmp_path))):
        model.save(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.h5")
    with pytest.raises(ModelFileError, match="is neither a file nor a folder"):
        LSTMForecaster.load(tmp_path / "pipe.h5")


def test_a_file_that_may_not_be_written_stays(tmp_path, monkeypatch):
    path = tmp_path / "model.h5"
    path.write_text("precious")
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # root may all
    with pytest.raises(PermissionError, match=re.escape(str(path))):
        forecaster().fit(X, Y).save(path)
    assert path.read_text() == "precious"


FULL_DISK = """
import resource, sys
from skl_lstm import LSTMForecaster
model = LSTMForecaster.load("model.h5").set_params(patience=99)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    model.save("model.h5")
except OSError as error:
    print(type(error).__name__)
"""


@pytest.mark.slow
def test_a_full_disk_leaves_the_earlier_file_whole_and_nothing_beside_it(tmp_path):
    pytest.importorskip("resource")
    forecaster().fit(X, Y).save(tmp_path / "model.h5")
    before = (tmp_path / "model.h5").read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "OSError\n"
    assert (tmp_path / "model.h5").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_crash_on_the_way_leaves_the_earlier_file_whole(step, tmp_path, monkeypatch):
    path = tmp_path / "model.h5"
    forecaster().fit(X, Y).save(path)
    before = path.read_bytes()

    def crash(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, step, crash)
    with pytest.raises(KeyboardInterrupt):
        forecaster(units=4).fit(X, Y).save(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["model.h5"]


@pytest.mark.skipif(os.name != "posix", reason="permissions and links are POSIX's here")
def test_links_are_followed_and_permissions_kept(tmp_path):
    model = forecaster().fit(X, Y)
    (tmp_path / "link.h5").symlink_to(tmp_path / "model.h5")
    model.save(tmp_path / "model.h5")
    assert stat.S_IMODE((tmp_path / "model.h5").stat().st_mode) & 0o600 == 0o600
    (tmp_path / "model.h5").chmod(0o640)
    model.set_params(patience=3).save(tmp_path / "link.h5")
    assert (tmp_path / "link.h5").is_symlink()
    assert LSTMForecaster.load(tmp_path / "model.h5").patience == 3
    assert stat.S_IMODE((tmp_path / "model.h5").stat().st_mode) == 0o640
