"""The native engine: a kernel compiled by Numba, and the code around it."""
