"""Where the codes of all images lie together: the aggregate posterior against the prior.

q(z) = (1/N) Σᵢ q(z|xᵢ) is the mixture of the posteriors of N images. The rate, what the ELBO pays
for the codes, is the information that z carries about which image it came from plus the distance of
q(z) from the prior (Hoffman & Johnson, "ELBO surgery", 2016, eq. 6-7).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vae_explorer.model.gaussian import Gaussian
from vae_explorer.model.trained import Check, Images, Posterior, TrainedVAE, unchecked
from vae_explorer.model.vae import log_prior
from vae_explorer.types import Float64, Floats

ACTIVE = 0.01
"""The activity above which a dimension is in use (Burda et al., arXiv 1509.00519, §5.2)."""

_IMAGES = 2_000  # decoded at once
_PAIRS = 200_000  # of a position and a posterior, at once: a few arrays of 1.6 MB


@dataclass(frozen=True)
class Aggregate:
    """The codes of N images; in nats per image unless said.

    ``rate`` is the mean KL(q(z|x) ‖ p(z)) and ``distortion`` the mean −log p(x|z): R and D of Alemi
    et al. (arXiv 1711.00464, eq. 5-6), whose negated sum is the ELBO. The rate is
    ``mutual_information``, I_q(x; z) with at most log N nats, plus ``marginal_kl``,
    KL(q(z) ‖ p(z)). Both are of these N images: more of them fill the gaps between narrow
    posteriors, and the first rises while the second falls. ``standard_error`` is the Monte-Carlo
    error of either, as if each draw had picked its image at random: rather too large.
    ``activity`` (2,) float64, squared latent units, is the variance over images of each dimension's
    posterior mean.

    Of no images all are NaN; of one there is no standard error, NaN.
    """

    rate: float
    distortion: float
    mutual_information: float
    marginal_kl: float
    standard_error: float
    activity: Float64

    @property
    def active_units(self) -> int:
        """The number of dimensions with an activity above ``ACTIVE``, 0 to 2."""
        return int((self.activity > ACTIVE).sum())


@torch.inference_mode()
def aggregate(model: TrainedVAE, x: Images, seed: int = 0, check: Check = unchecked) -> Aggregate:
    """Compare q(z) of x with the prior, by one draw zᵢ ~ q(z|xᵢ) an image.

    KL(q(z) ‖ p(z)) is the mean of log q(zᵢ) − log p(zᵢ), with log q(zᵢ) over all N posteriors: the
    time grows with N².

    Args:
        model: whose encoder and decoder.
        x: (n, h, w), one sample of the model's data treatment (``TrainedVAE.treated``).
        seed: fixes the draws of z, to those of ``TrainedVAE.elbo_terms``.
        check: called between chunks; what it raises ends the work.

    Raises:
        DataError: as ``TrainedVAE.encode``.
    """
    model.vae.check_marginal()
    images = model.tensor(x)
    if not len(x):
        nan = math.nan
        return Aggregate(nan, nan, nan, nan, nan, np.full(2, nan))
    rotation = model.vae.rotation
    generator = torch.Generator(model.device).manual_seed(seed)
    outputs, positions, distortion = [], [], []
    for part in torch.split(images, model.vae.at_once(_IMAGES)):
        check()
        outputs.append(model.vae.encoded(part))
        z = Gaussian.from_outputs(outputs[-1]).turned(rotation).sample(generator)
        distortion.append(-model.vae.log_likelihood(part, z)[0])
        positions.append(z[0])
    # Float64, because a narrow posterior is 1e-4 wide.
    q = Gaussian.from_outputs(torch.cat(outputs).double()).turned(rotation)
    z = torch.cat(positions).double()
    excess = _log_density(q, z, check) - log_prior(z)
    rate, marginal_kl = q.kl().mean().item(), excess.mean().item()
    spread = excess.std().item() if len(x) > 1 else math.nan
    return Aggregate(
        rate=rate,
        distortion=torch.cat(distortion).double().mean().item(),
        mutual_information=rate - marginal_kl,
        marginal_kl=marginal_kl,
        standard_error=spread / math.sqrt(len(x)),
        activity=q.mean.var(0, correction=0).cpu().numpy(),
    )


@torch.inference_mode()
def log_aggregate(posterior: Posterior, z: Floats, check: Check = unchecked) -> Float64:
    """Log q(z), q(z) = (1/N) Σ q(z|xᵢ) over N images, of z (m, 2), (m,) nats."""
    q = Gaussian.from_moments(posterior.mean, posterior.covariance)
    return _log_density(q, torch.from_numpy(z.astype(np.float64)), check).numpy()


def _log_density(posteriors: Gaussian, z: Tensor, check: Check) -> Tensor:
    """Log of the mean density of N posteriors at z (m, 2), (m,) nats."""
    count = len(posteriors.mean)
    parts = []
    for positions in torch.split(z, max(1, _PAIRS // count)):
        check()
        parts.append(posteriors.log_prob(positions[:, None]).logsumexp(1))
    return torch.cat(parts) - math.log(count)
