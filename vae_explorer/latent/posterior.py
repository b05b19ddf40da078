"""The exact posterior p(z|x) of one image as a picture, with its modes."""

from dataclasses import dataclass

import numpy as np
import torch

from vae_explorer.errors import DataError
from vae_explorer.latent.quadrature import adapted_tiles
from vae_explorer.latent.tiling import EXTENT, interpolation, log_joints
from vae_explorer.model.trained import Check, Images, TrainedVAE, unchecked
from vae_explorer.types import Float64

_STEP = 0.0125  # latent units between positions, the side of the smallest tile
_LOWEST_MODE = 0.01  # of the highest


@dataclass(frozen=True)
class PosteriorGrid:
    """p(z|x) on a square of positions, float64.

    ``axis`` (n,) are the positions' coordinates in latent units, evenly spaced along both axes, the
    first of which is z₁. ``density`` (n, n) integrates to 1, per squared latent unit, and is 0
    wherever it is negligible. ``modes`` (k, 2) are its local maxima at least a hundredth as high as
    the highest, which comes first; each to within a step, and any less than three steps apart
    taken for one.
    """

    axis: Float64
    density: Float64
    modes: Float64


@torch.inference_mode()
def posterior_grid(model: TrainedVAE, x: Images, check: Check = unchecked) -> PosteriorGrid:
    """The exact posterior of one image (1, h, w), already data-treated.

    Raises:
        DataError: there is not exactly one image, or as ``TrainedVAE.encode``.
    """
    # Imported late: it costs the start of the window a sixth of a second.
    from scipy.ndimage import label, maximum_filter, maximum_position

    if len(x) != 1:
        raise DataError(f"A posterior is computed for one image at a time, not for {len(x)}.")
    image = model.tensor(x)
    adapted = adapted_tiles(model, image, check)
    extent = adapted[0].tiling.extent
    # A larger square costs detail, not memory without end.
    step = _STEP * max(1, extent / (2 * EXTENT))
    n = round(2 * extent / step)
    log_joint = np.full((n, n), -np.inf)
    for pairs in adapted:
        per_tile = n / pairs.tiling.side
        points = max(1, round(per_tile))
        middles = (np.arange(points) + 0.5) / points
        to_places = interpolation(2 * middles - 1)
        joints = log_joints(model, image, pairs, check)
        for tile, (_, joint) in zip(pairs.tile.tolist(), joints, strict=True):
            row, column = (int(index * per_tile) for index in divmod(tile, pairs.tiling.side))
            values = joint[0].double().cpu().numpy() @ to_places
            place = log_joint[row : row + points, column : column + points]
            np.maximum(place, values.reshape(points, points), out=place)
    relative = np.exp(log_joint - log_joint.max())
    axis = np.linspace(step / 2 - extent, extent - step / 2, n)
    # Over two steps even a broad posterior falls by more than float32 rounds log p(x|z).
    peaks = (relative == maximum_filter(relative, 5)) & (relative >= _LOWEST_MODE)
    equal, count = label(peaks, np.ones((3, 3)))
    row, column = np.array(maximum_position(relative, equal, range(1, count + 1))).T
    order = relative[row, column].argsort()[::-1]
    return PosteriorGrid(
        axis=axis,
        density=relative / (relative.sum() * step**2),
        modes=np.stack([axis[row[order]], axis[column[order]]], axis=1),
    )
