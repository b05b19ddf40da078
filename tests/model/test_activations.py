"""A network of any size is applied to many rows in a bounded memory, to the same numbers."""

import pytest
import torch

from vae_explorer.model import activations
from vae_explorer.model.activations import Need
from vae_explorer.model.architecture import NETWORKS, Architecture
from vae_explorer.model.vae import VAE
from vae_explorer.training.objective import exact

SIZES = {"mlp": (16,), "residual": (16, 8), "conv": (4, 8)}


def make(network: str, **more: object) -> VAE:
    torch.manual_seed(0)
    sizes = {"encoder_hidden": SIZES[network], "decoder_hidden": SIZES[network]}
    return VAE(Architecture((12, 10), network=network, **(sizes | more)))  # type: ignore[arg-type]


@pytest.mark.parametrize("network", NETWORKS)
def test_parts_are_as_the_whole(network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vae = make(network)
    z, x = torch.randn(5, 60, 2), torch.rand(300, 120)
    vae.rotation = torch.linalg.qr(torch.randn(2, 2, dtype=torch.float64))[0]
    with torch.no_grad():
        outputs, mean = vae.outputs(z), vae.posterior(x).mean
        monkeypatch.setattr(activations, "HELD", 1 << 14)
        assert vae.at_once(300) < 60
        torch.testing.assert_close(vae.outputs(z), outputs)
        torch.testing.assert_close(vae.posterior(x).mean, mean)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_gradients_by_parts_are_those_of_the_whole(
    network: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = torch.rand(40, 120).bernoulli()
    found = []
    for kept in (1 << 30, 1 << 16):
        monkeypatch.setattr(activations, "KEPT", kept)
        vae = make(network)
        seed = torch.Generator().manual_seed(0)
        exact(vae, x, seed, 300, 2, share).loss.backward()
        found.append([parameter.grad for parameter in vae.parameters()])
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_need_grows_with_the_network(network: str) -> None:
    small = make(network).need("decoder")
    wide = tuple(8 * size for size in SIZES[network])
    large = make(network, decoder_hidden=wide).need("decoder")
    assert small.held >= 4 * 120
    assert large.held > 2 * small.held if network == "conv" else large.held >= small.held
    assert large.kept > 2 * small.kept if network == "conv" else large.kept > small.kept


def test_there_is_always_one_row() -> None:
    assert Need(1 << 40, 1 << 40).rows() == Need(1 << 40, 1 << 40).rows(kept=True) == 1
