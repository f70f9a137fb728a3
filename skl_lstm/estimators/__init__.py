"""The estimators: parameters, training, and conversion to and from files and Keras."""
