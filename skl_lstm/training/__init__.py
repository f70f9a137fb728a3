"""Inputs and results of training that all engines share; independent of the engines."""
