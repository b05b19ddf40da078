import math

import pytest
import torch
from torch import nn

from vae_explorer.model.architecture import ACTIVATIONS, NETWORKS, POSTERIORS, Architecture
from vae_explorer.model.gaussian import OUTPUTS
from vae_explorer.model.networks import FAMILIES, FourierFeatures, build


def test_every_name_a_recipe_may_use_has_its_builder() -> None:
    assert tuple(FAMILIES) == NETWORKS


@pytest.mark.parametrize("network", NETWORKS)
def test_every_activation_is_the_one_of_its_name(network: str) -> None:
    classes: dict[str, type[nn.Module]] = {"gelu": nn.GELU, "relu": nn.ReLU, "tanh": nn.Tanh}
    assert tuple(classes) == ACTIVATIONS
    for name in ACTIVATIONS:
        architecture = Architecture((6, 5), network, (4, 4), (4, 4), name)
        for half in build(architecture, 5):
            found = {type(module) for module in half.modules()} & set(classes.values())
            assert found == {classes[name]}


@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("pairs", [0, 7])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (6, 5), (28, 28), (13, 31)], ids=str)
def test_shapes(network: str, posterior: str, pairs: int, shape: tuple[int, int]) -> None:
    architecture = Architecture(
        shape, network, (8, 8, 3), (4, 8), posterior=posterior, fourier_features=pairs
    )
    encoder, decoder = build(architecture, OUTPUTS[posterior])
    for count in (0, 1, 4):
        assert encoder(torch.rand(count, architecture.pixels)).shape == (count, OUTPUTS[posterior])
        assert decoder(torch.randn(count, 2)).shape == (count, architecture.pixels)
    assert decoder[-1].bias.shape == (architecture.pixels,)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shape", [(6, 5), (28, 28), (13, 31)], ids=str)
def test_every_pixel_and_every_weight_counts(network: str, shape: tuple[int, int]) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder, decoder = build(Architecture(shape, network, (8, 8), (8, 8), "tanh"), 5)
        x = torch.rand(64, shape[0] * shape[1], requires_grad=True)
        z = torch.randn(64, 2, requires_grad=True)
    for half, inputs in ((encoder, x), (decoder, z)):
        gradients = torch.autograd.grad(half(inputs).square().sum(), [inputs, *half.parameters()])
        assert gradients[0].abs().sum(0).gt(0).all()
        assert all(gradient.any() for gradient in gradients)
    assert decoder(z).std(0).gt(0).all()


def test_an_mlp_has_the_hidden_sizes_in_the_order_the_data_takes() -> None:
    architecture = Architecture((28, 28), "mlp", (512, 256, 128), (64, 32), fourier_features=16)
    encoder, decoder = build(architecture, 5)
    sizes = [
        [tuple(layer.weight.shape) for layer in half if isinstance(layer, nn.Linear)]
        for half in (encoder, decoder)
    ]
    assert sizes == [
        [(512, 784), (256, 512), (128, 256), (5, 128)],
        [(64, 34), (32, 64), (784, 32)],
    ]


def test_a_convolution_has_the_hidden_sizes_as_channels() -> None:
    encoder, decoder = build(Architecture((28, 28), "conv", (8, 16, 32), (32, 16, 8)), 5)
    channels = [
        [(layer.in_channels, layer.out_channels) for layer in half if isinstance(layer, nn.Conv2d)]
        for half in (encoder, decoder)
    ]
    assert channels == [[(1, 8), (8, 16), (16, 32)], [(32, 16), (16, 8), (8, 8), (8, 1)]]
    (last,) = (layer for layer in encoder if isinstance(layer, nn.Linear))
    assert last.in_features == 32 * 4 * 4  # 28 → 14 → 7 → 4


def test_a_residual_block_whose_branch_is_zero_lets_its_input_through() -> None:
    architecture = Architecture((3, 3), "residual", (6, 6, 6), (6,))
    encoder, _ = build(architecture, 5)
    x = torch.rand(4, 9)
    widened = encoder[0](x)
    for block in list(encoder)[1:4]:
        for parameter in block.parameters():
            nn.init.zeros_(parameter)
    assert torch.equal(encoder[:4](x), widened)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_meta_device_builds_the_same_shapes_and_no_numbers(network: str) -> None:
    architecture = Architecture((6, 5), network, (8, 4), (4, 8))
    real = build(architecture, 5)
    before = torch.get_rng_state()
    with torch.device("meta"):
        empty = build(architecture, 5)
    assert torch.equal(torch.get_rng_state(), before)
    for half, other in zip(empty, real, strict=True):
        state, expected = half.state_dict(), other.state_dict()
        assert all(value.is_meta for value in state.values())
        assert [(key, value.shape) for key, value in state.items()] == [
            (key, value.shape) for key, value in expected.items()
        ]


@pytest.mark.parametrize("network", NETWORKS)
def test_weights_and_frequencies_are_fixed_by_the_seed(network: str) -> None:
    drawn = []
    with torch.random.fork_rng(devices=[]):
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            architecture = Architecture((6, 5), network, decoder_hidden=(8,))
            drawn.append(build(architecture, 5)[1].state_dict())
    first, again, other = drawn
    assert "0.frequencies" in first  # saved with the weights
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not torch.equal(first["0.frequencies"], other["0.frequencies"])
    assert not torch.equal(first["1.weight"], other["1.weight"])


def test_fourier_features_are_sines_and_cosines_of_projections() -> None:
    features = FourierFeatures(2, 1.0)
    features.frequencies.copy_(torch.tensor([[1.0, 0.5], [0.0, -2.0]]))
    z = torch.tensor([[0.3, 0.7]])
    first, second = 0.3, 0.5 * 0.3 - 2.0 * 0.7
    expected = [0.3, 0.7]
    expected += [math.sin(first), math.sin(second), math.cos(first), math.cos(second)]
    torch.testing.assert_close(features(z), torch.tensor([expected]))


def test_places_keep_their_digits_under_autocast() -> None:
    features = FourierFeatures(20, 30.0)
    z = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        low = features(z)
    assert torch.equal(low, features(z))


def test_frequencies_have_the_asked_scale_and_are_not_trained() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        features = FourierFeatures(20_000, 3.0)
    assert list(features.parameters()) == []
    # The standard deviation of 40,000 draws is known to 0.35 %.
    assert features.frequencies.std().item() == pytest.approx(3.0, rel=0.02)
    assert features.frequencies.mean().item() == pytest.approx(0.0, abs=0.075)
