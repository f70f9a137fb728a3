"""Plots; matplotlib is imported only in this subpackage, by ``plot``."""
