"""The demonstration that ``python -m skl_lstm`` runs."""
