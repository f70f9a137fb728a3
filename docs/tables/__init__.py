"""What the pages of docs/benchmarks/ take from the JSON of the benchmarks."""
