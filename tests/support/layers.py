"""Layers drawn by their defaults, and where the cells of a field lie."""

import dataclasses

import numpy as np

from vae_explorer.model.trained import unchecked
from vae_explorer.session.map.layer_contents import LAYER_CONTENTS, Scene, View
from vae_explorer.session.map.layers import LAYERS, default_state
from vae_explorer.session.map.marks import (
    ClassField,
    Field,
    LayerContent,
)
from vae_explorer.types import Float64

VIEW = View((-1.0, 1.0, 0.0, 1.0), (240, 120))


def draw(layer: str, scene: Scene, **chosen: str) -> LayerContent:
    """Draw with the layer's defaults but for what is ``chosen``, and with nothing remembered."""
    defaults = default_state(next(spec for spec in LAYERS if spec.id == layer)).chosen
    function, _ = LAYER_CONTENTS[layer]
    return function(dataclasses.replace(scene, memory={}), {**defaults, **chosen}, unchecked)


def middles(field: Field | ClassField) -> tuple[Float64, Float64, float]:
    """z₁ of the columns, z₂ of the rows, and the area of a cell."""
    left, right, bottom, top = field.region
    shape = field.labels.shape if isinstance(field, ClassField) else field.values.shape
    up, across = (top - bottom) / shape[0], (right - left) / shape[1]
    z1 = left + (np.arange(shape[1]) + 0.5) * across
    return z1, bottom + (np.arange(shape[0]) + 0.5) * up, across * up
