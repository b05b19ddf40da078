"""log p(x|z) of one image as a landscape over a region of the latent plane."""

import numpy as np
import torch

from vae_explorer.errors import DataError
from vae_explorer.latent.manifold import middles
from vae_explorer.model.trained import Check, Images, TrainedVAE, unchecked
from vae_explorer.types import Float64, Region

_DECODED = 4_096  # positions in one call of the decoder


@torch.inference_mode()
def likelihood_landscape(
    model: TrainedVAE,
    x: Images,
    region: Region,
    shape: tuple[int, int],
    check: Check = unchecked,
) -> Float64:
    """log p(x|z) in nats of one image (1, h, w), already data-treated, at the middles of cells.

    Args:
        model: gives p(x|z).
        x: the image.
        region: left, right, bottom and top edge in latent units.
        shape: rows and columns of equal cells that fill it.
        check: called between chunks; what it raises ends the work.

    Returns:
        (rows, columns), row 0 the lowest.

    Raises:
        DataError: there is not exactly one image, or as ``TrainedVAE.encode``.
    """
    if len(x) != 1:
        raise DataError(f"A landscape is computed for one image at a time, not for {len(x)}.")
    image = model.tensor(x)
    parts = []
    everywhere = torch.from_numpy(middles(region, shape)).to(image)
    for positions in torch.split(everywhere, model.vae.at_once(_DECODED)):
        check()
        parts.append(model.vae.likelihood.pairwise(image, model.vae.outputs(positions))[0])
    values: Float64 = torch.cat(parts).cpu().numpy().astype(np.float64)
    return values.reshape(shape)
