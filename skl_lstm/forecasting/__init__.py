"""Forecasts over several steps with any model, their prediction intervals, and backtests."""
