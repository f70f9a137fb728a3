"""The Keras engine, through SciKeras. Importing any of its modules imports TensorFlow."""
