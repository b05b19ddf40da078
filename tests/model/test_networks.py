import math

import pytest
import torch

from vae_explorer.model.architecture import POSTERIORS, Architecture
from vae_explorer.model.gaussian import OUTPUTS
from vae_explorer.model.networks import BUILDERS, FourierFeatures


@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("network", BUILDERS)
@pytest.mark.parametrize("pairs", [0, 7])
def test_shapes(network: str, posterior: str, pairs: int) -> None:
    architecture = Architecture((6, 5), network, 8, 2, 3, posterior, pairs)
    encoder, decoder = BUILDERS[network](architecture, OUTPUTS[posterior])
    assert encoder(torch.rand(4, 30)).shape == (4, OUTPUTS[posterior])
    assert decoder(torch.randn(4, 2)).shape == (4, 30)


def test_depths_and_width_count_hidden_layers_and_their_units() -> None:
    architecture = Architecture((28, 28), "mlp", 512, 3, 2, "full", 16)
    encoder, decoder = BUILDERS["mlp"](architecture, 5)
    sizes = [
        [tuple(layer.weight.shape) for layer in network if isinstance(layer, torch.nn.Linear)]
        for network in (encoder, decoder)
    ]
    assert sizes == [
        [(512, 784), (512, 512), (512, 512), (5, 512)],
        [(512, 34), (512, 512), (784, 512)],
    ]


def test_weights_and_frequencies_are_fixed_by_the_seed() -> None:
    drawn = []
    with torch.random.fork_rng(devices=[]):
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            drawn.append(build(Architecture((6, 5), decoder_hidden=(8,)), 5)[1].state_dict())
    first, again, other = drawn
    assert "0.frequencies" in first  # saved with the weights
    for name, value in first.items():
        assert torch.equal(value, again[name])
        assert not torch.equal(value, other[name])


def test_fourier_features_are_sines_and_cosines_of_projections() -> None:
    features = FourierFeatures(2, 1.0)
    features.frequencies.copy_(torch.tensor([[1.0, 0.5], [0.0, -2.0]]))
    z = torch.tensor([[0.3, 0.7]])
    first, second = 0.3, 0.5 * 0.3 - 2.0 * 0.7
    expected = [0.3, 0.7]
    expected += [math.sin(first), math.sin(second), math.cos(first), math.cos(second)]
    torch.testing.assert_close(features(z), torch.tensor([expected]))


def test_frequencies_have_the_asked_scale_and_are_not_trained() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        features = FourierFeatures(20_000, 3.0)
    assert list(features.parameters()) == []
    # The standard deviation of 40,000 draws is known to 0.35 %.
    assert features.frequencies.std().item() == pytest.approx(3.0, rel=0.02)
    assert features.frequencies.mean().item() == pytest.approx(0.0, abs=0.075)
