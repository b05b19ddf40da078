"""The map: points, colours, selections, layers."""
