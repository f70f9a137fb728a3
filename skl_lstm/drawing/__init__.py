"""What pictures are made of, and the picture of a backtest; functions import matplotlib."""
