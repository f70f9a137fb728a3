"""The command line shows what the package does, and prepares a machine for it."""

import pytest

from skl_lstm.__main__ import main


def test_the_demonstration_compares_with_naive_forecasts(capsys):
    main([])
    shown = capsys.readouterr().out
    for name in ("LSTM(16)", "naive: as this month", "seasonal naive: as a year before"):
        assert name in shown


def test_warming_up_compiles_the_kernel(capsys):
    main(["--warm-up"])
    assert "compiled and cached" in capsys.readouterr().out


def test_an_unknown_option_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--fast"])
    assert "unrecognized arguments: --fast" in capsys.readouterr().err
