"""What a fit shows reads well in a terminal, a notebook and a log, by either engine."""

import io
import os
import re
import subprocess
import sys
import threading
from contextlib import redirect_stdout
from types import SimpleNamespace

import numpy as np
import pytest

from skl_lstm import LSTMForecaster
from skl_lstm.training.progress import LOG_SECONDS, Progress, duration

X, Y = np.random.default_rng(0).normal(size=(20, 3)), np.linspace(0.0, 1.0, 20)


class Clock:
    """Time that passes when told to."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("skl_lstm.training.progress.time", SimpleNamespace(perf_counter=clock))
    return clock


class Screen(io.StringIO):
    """A terminal of which the test reads what was written."""

    def isatty(self):
        return True

    def lines(self):
        """Give what a reader sees: a carriage return goes back to the beginning of the line."""
        return [overwritten(line) for line in self.getvalue().split("\n")]


def overwritten(line):
    seen = ""
    for text in line.split("\r"):
        seen = text + seen[len(text) :]
    return seen.rstrip()


@pytest.fixture
def screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    return Screen()


def run(clock, out, seconds, n_epochs, verbose=1, first_epoch=0, logs=None, last=0.0):
    """Show epochs that took so many seconds, and end after some more; None: do not end."""
    with redirect_stdout(out):
        progress = Progress(first_epoch, n_epochs, verbose)
        for epoch, took in enumerate(seconds, first_epoch):
            clock.now += took
            progress.update(epoch, logs or {"loss": 0.5, "val_loss": 0.25})
        if last is not None:
            clock.now += last
            progress.close()
    return out.getvalue().splitlines() if out else []


def test_a_bar_in_a_terminal_is_drawn_over_itself(clock, screen):
    run(clock, screen, [1.0, 1.0, 1.0], n_epochs=12, last=None)
    assert screen.lines() == [
        "Epoch  3/12 ███████░░░░░░░░░░░░░░░░░░░░░░░ 9.0 s left - loss: 0.5 - val_loss: 0.25"
    ]
    assert screen.getvalue().count("\r") == 3


def test_the_bar_ends_with_the_time_that_all_took(clock, screen):
    run(clock, screen, [1.0, 1.0, 1.0], n_epochs=12, last=7.0)
    assert screen.lines() == [
        "Epoch  3/12 ███████░░░░░░░░░░░░░░░░░░░░░░░ in 10 s - loss: 0.5 - val_loss: 0.25",
        "",
    ]


def test_quick_epochs_are_not_each_drawn(clock, screen):
    run(clock, screen, [0.01] * 100, n_epochs=100, last=None)
    assert 9 <= screen.getvalue().count("\r") <= 10


def test_the_first_epoch_which_prepares_does_not_tell_how_long_the_others_take(clock, screen):
    run(clock, screen, [10.0], n_epochs=11, last=None)
    run(clock, screen, [10.0, 1.0], n_epochs=11, last=None)
    first, later = screen.getvalue().split("\r")[1::2]
    assert "1 min 40 s left" in first
    assert "9.0 s left" in later


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (80, "Epoch  2/10 █████░░░░░░░░░░░░░░░░░░░░ 8.0 s left - loss: 0.5 - val_loss: 0.25"),
        (60, "Epoch  2/10 █░░░░ 8.0 s left - loss: 0.5 - val_loss: 0.25"),
        (53, "Epoch  2/10 8.0 s left - loss: 0.5 - val_loss: 0.25"),
        (42, "Epoch  2/10 █░░░░ 8.0 s left - loss: 0.5"),
        (30, "Epoch  2/10 █░░░░ 8.0 s left"),
        (15, "Epoch  2/10 8."),
    ],
)
def test_the_line_is_shorter_than_the_terminal_is_wide(columns, shown, clock, screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    run(clock, screen, [1.0, 1.0], n_epochs=10, last=None)
    assert screen.lines() == [shown]
    assert max(map(len, screen.getvalue().split("\r"))) < columns


def test_a_log_gets_a_line_now_and_then_and_one_at_the_end(clock):
    lines = run(clock, io.StringIO(), [LOG_SECONDS / 4] * 10, n_epochs=10)
    assert [(line[:11], line[43:]) for line in lines] == [
        ("Epoch  4/10", "1 min 30 s left - loss: 0.5 - val_loss: 0.25"),
        ("Epoch  8/10", "30 s left - loss: 0.5 - val_loss: 0.25"),
        ("Epoch 10/10", "in 2 min 30 s - loss: 0.5 - val_loss: 0.25"),
    ]


def test_a_notebook_gets_a_bar_drawn_over_itself(clock, screen, monkeypatch):
    # Its output is no terminal, but goes back at a carriage return.
    monkeypatch.setattr(Screen, "isatty", lambda self: False)
    monkeypatch.setattr(Screen, "__module__", "ipykernel.iostream")
    run(clock, screen, [1.0, 1.0], n_epochs=10)
    assert screen.getvalue().count("\r") == 3
    assert len(screen.lines()) == 2


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_the_bar_is_drawn_in_characters_that_the_output_has(encoding, clock, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding))
    progress = Progress(0, 3, verbose=1)
    progress.update(0, {"loss": 0.5, "größe €": 1.0})
    progress.close()
    line = written.getvalue().decode(encoding)
    assert ("█░" if encoding == "utf-8" else "#.") in line
    assert ("?" in line) == (encoding == "ascii")


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_no_output_at_all_is_no_error(verbose, clock):
    run(clock, None, [1.0], n_epochs=1, verbose=verbose)


def test_training_that_goes_on_counts_on(clock):
    going_on = {"seconds": [1.0], "n_epochs": 2, "first_epoch": 9}
    (line,) = run(clock, io.StringIO(), **going_on, verbose=2)
    (bar,) = run(clock, io.StringIO(), **going_on, verbose=1)
    assert line == "Epoch 10/11 - loss: 0.5 - val_loss: 0.25"
    assert bar.startswith("Epoch 10/11 ███████████████░░░░░░░░░░░░░░░ in 1.0 s")


def test_the_loss_comes_first_and_what_is_of_validation_rows_last(clock):
    logs = {"val_mae": 4.0, "acc": 2.0, "val_loss": 3.0, "loss": 1.0}
    (line,) = run(clock, io.StringIO(), [1.0], n_epochs=1, verbose=2, logs=logs)
    assert line == "Epoch 1/1 - loss: 1 - acc: 2 - val_loss: 3 - val_mae: 4"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 0 min"),
        (90000.0, "25 h 0 min"),
    ],
)
def test_time_is_said_in_units_that_read_well(seconds, said):
    assert duration(seconds) == said


def fit(**parameters):
    settings = {"units": 2, "epochs": 3, "random_state": 0, "metrics": ["mape", "mae"]}
    LSTMForecaster(**settings, **parameters, validation_split=0.25).fit(X, Y)


@pytest.mark.slow
@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_the_engines_show_the_same(verbose, capsys):
    fit(engine="native")  # loads the kernel, which would be told of
    fit(engine="native", verbose=verbose)
    native = capsys.readouterr().out
    fit(engine="keras", verbose=verbose)
    by_keras = capsys.readouterr().out
    assert len(native.splitlines()) == [0, 1, 3][verbose]
    names = ["loss", "mae", "mape", "val_loss", "val_mae", "val_mape"]
    for line in native.splitlines():
        assert re.findall(r"- (\w+): ", line) == names
    assert told(by_keras) == told(native)


def told(text):
    """Give the words, and numbers to three digits; not how long it took."""
    return [
        f"{float(word):.2g}" if re.fullmatch(r"[\d.e-]+", word) and word != "-" else word
        for word in re.sub(r"in [\d.]+ s", "", text).split()
    ]


@pytest.mark.slow
def test_what_keras_callbacks_measure_is_shown(capsys):
    keras = pytest.importorskip("keras")

    schedule = keras.callbacks.ReduceLROnPlateau()
    fit(engine="keras", verbose=2, callbacks=[schedule])
    assert "learning_rate: 0.001" in capsys.readouterr().out


@pytest.mark.parametrize("engine", ["native", pytest.param("keras", marks=pytest.mark.slow)])
def test_a_fit_that_is_interrupted_ends_its_line(engine, screen, monkeypatch):
    fit(engine=engine)  # loads the kernel, which would be told of
    update = Progress.update

    def interrupt(self, epoch, logs):
        update(self, epoch, logs)
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "update", interrupt)
    with redirect_stdout(screen), pytest.raises(KeyboardInterrupt):
        fit(engine=engine, verbose=1)
    assert screen.lines()[-1] == ""
    assert screen.lines()[-2].startswith("Epoch 1/3")


PROGRAM = """
import numpy as np
from skl_lstm import LSTMForecaster

X = np.random.default_rng(0).normal(size=(60, 3))
for verbose in {verbose}:
    LSTMForecaster(units=2, epochs=3, engine={engine!r}, verbose=verbose).fit(X, X[:, 0])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a thing of Unix")
def test_in_a_real_terminal_one_line_is_left():
    import pty

    ours, theirs = pty.openpty()
    program = PROGRAM.format(engine="native", verbose=(1,))
    shown = []

    def read():
        with open(ours, "rb", closefd=False) as terminal:
            try:
                while part := terminal.read1():
                    shown.append(part)
            except OSError:  # how Linux says that the other end is closed
                return

    reader = threading.Thread(target=read)
    reader.start()
    environment = {**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    subprocess.run([sys.executable, "-c", program], stdout=theirs, check=True, env=environment)
    os.close(theirs)
    reader.join()
    os.close(ours)
    lines = b"".join(shown).decode().replace("\r\n", "\n").split("\n")
    assert [overwritten(line)[:9] for line in lines] == ["Loading t", "Epoch 3/3", ""]


@pytest.mark.slow
def test_a_log_file_has_a_line_of_the_one_verbose_fit_and_nothing_else(tmp_path):
    program = PROGRAM.format(engine="keras", verbose=(0, 1))
    with open(tmp_path / "log", "w") as log:
        subprocess.run([sys.executable, "-c", program], stdout=log, stderr=log, check=True)
    written = (tmp_path / "log").read_bytes().replace(os.linesep.encode(), b"\n")
    assert b"\r" not in written
    assert written.count(b"\n") == 1
