"""Plots of forecasts and of training."""
