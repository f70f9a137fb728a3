"""The engines that train, and the choice between them."""
