"""Models composed of several estimators: their parts, and their files."""
