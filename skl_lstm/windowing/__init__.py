"""Windows and targets made from a series."""
