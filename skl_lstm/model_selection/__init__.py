"""Folds and scores for tables of several series."""
