"""What pictures are made of, and the picture of a backtest; matplotlib is imported by calls."""
