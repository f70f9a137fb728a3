"""Example series."""

from ._airline import load_airline_passengers

__all__ = ["load_airline_passengers"]
