"""LSTM training in compiled loops; see README.md."""
