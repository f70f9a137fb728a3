"""Model files, also untrusted ones: bytes to values and back, independent of estimators."""
