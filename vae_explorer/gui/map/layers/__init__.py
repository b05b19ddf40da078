"""Layers of the map: how their marks are drawn, their keys, and the panel that rules them."""
