"""What training maximises."""

from torch import Tensor

from vae_explorer.model.vae import ElboTerms


def elbo_loss(terms: ElboTerms, beta: float) -> Tensor:
    """Minus the β-weighted ELBO, averaged over the batch; nats per image.

    β = 1 is the ELBO (Kingma & Welling, arXiv 1312.6114, eq. 10); other values trade rate for
    distortion (Higgins et al., β-VAE, ICLR 2017, eq. 4).
    """
    return (beta * terms.kl - terms.log_likelihood).mean()
