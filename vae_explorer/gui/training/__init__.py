"""The training dock: recipe, transport, curves and log."""
