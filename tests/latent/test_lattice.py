import math

import pytest
import torch

from vae_explorer.latent.lattice import shifted_lattice


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("points", [1, 2, 16, 1_600, 10_007])
def test_as_many_finite_places_as_asked_for(points: int) -> None:
    for seed in range(20):
        z = shifted_lattice(points, _generator(seed))
        assert z.shape == (points, 2)
        assert z.dtype == torch.float32
        assert z.isfinite().all()
        assert len(z.unique(dim=0)) == points


def test_the_places_have_the_moments_of_the_prior() -> None:
    z = shifted_lattice(10_000, _generator()).double()
    assert z.mean(0).abs().max() < 2e-3
    torch.testing.assert_close(z.T.cov(), torch.eye(2).double(), atol=1e-2, rtol=0)
    assert (z**4).mean(0).tolist() == pytest.approx([3, 3], rel=0.05)


def test_each_place_alone_is_a_draw_from_the_prior() -> None:
    """Over shifts; a standard error of the mean is 0.022, of the variance 0.032."""
    z = torch.stack([shifted_lattice(16, _generator(seed))[5] for seed in range(2_000)])
    assert z.mean(0).abs().max() < 5 * 0.0224
    torch.testing.assert_close(z.T.cov(), torch.eye(2), atol=5 * 0.0316, rtol=0)


def test_every_call_shifts_anew_and_a_seed_fixes_all_of_them() -> None:
    first, again = _generator(3), _generator(3)
    lattices = [shifted_lattice(100, first) for _ in range(10)]
    for lattice in lattices:
        assert torch.equal(lattice, shifted_lattice(100, again))
    sets = {tuple(map(tuple, lattice.tolist())) for lattice in lattices}
    assert len(sets) == 10
    assert not torch.equal(lattices[0], shifted_lattice(100, _generator(4)))


def test_the_global_random_stream_is_not_moved() -> None:
    before = torch.get_rng_state()
    shifted_lattice(100, _generator())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("precision", [0.1, 1.0, 10.0, 100.0])
def test_means_of_a_bell_are_unbiased_and_far_less_noisy_than_of_draws(precision: float) -> None:
    """E exp(−c|z − m|²/2) = exp(−c|m|²/(2(1 + c)))/(1 + c) in the plane."""
    position = torch.tensor([0.7, -0.4]).double()
    scale = 1 + precision
    expected = math.exp(-precision * 0.65 / (2 * scale)) / scale
    square = math.exp(-2 * precision * 0.65 / (2 * (1 + 2 * precision))) / (1 + 2 * precision)
    points, shifts = 1_600, 200
    means = torch.empty(shifts).double()
    for seed in range(shifts):
        z = shifted_lattice(points, _generator(seed)).double()
        means[seed] = (-precision * (z - position).square().sum(1) / 2).exp().mean()
    error = means.std().item()
    # A mean that is nearly the same at every shift is limited by the digits of float32.
    assert means.mean().item() == pytest.approx(expected, abs=5 * error / math.sqrt(shifts) + 1e-5)
    of_draws = math.sqrt((square - expected**2) / points)
    assert error < of_draws / 5
