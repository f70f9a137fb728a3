"""The native engine: a kernel compiled by Numba, and what surrounds it."""
