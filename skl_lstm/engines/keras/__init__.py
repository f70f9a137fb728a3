"""The Keras engine, through SciKeras. Importing any module of it but this imports TensorFlow."""
