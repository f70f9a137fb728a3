"""The network: its sizes, parameter vector, windows and forward pass."""
