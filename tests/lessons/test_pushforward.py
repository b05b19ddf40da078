import numpy as np
import pytest

from vae_explorer.lessons import pushforward as pf
from vae_explorer.types import Float64, Region


def middles(region: Region, side: int) -> Float64:
    left, right, bottom, top = region
    share = (np.arange(side) + 0.5) / side
    grid = np.meshgrid(left + share * (right - left), bottom + share * (top - bottom))
    return np.stack(grid, axis=2).reshape(-1, 2)


def area(region: Region, side: int) -> float:
    left, right, bottom, top = region
    return (right - left) * (top - bottom) / side**2


def linear(x: Float64) -> Float64:
    """The density of LINEAR z."""
    z = x @ np.linalg.inv(LINEAR).T
    return np.asarray(pf.normal_density(z) / abs(np.linalg.det(LINEAR)))


def spiral(x: Float64) -> Float64:
    angle = -2 * np.linalg.norm(x, axis=1)
    y1 = x[:, 0] * np.cos(angle) - x[:, 1] * np.sin(angle)
    y2 = x[:, 0] * np.sin(angle) + x[:, 1] * np.cos(angle)
    return 7 * pf.normal_density(np.stack([y1, 7 * y2], axis=1))


def half_moon(x: Float64) -> Float64:
    """With the ends of the moon, which meet."""
    radius = np.linalg.norm(x, axis=1)
    angle = np.arctan2(x[:, 0], x[:, 1])
    turns = [
        np.stack([(angle + turn) / 0.8, (radius - 1) / 0.15], axis=1)
        for turn in (-2 * np.pi, 0.0, 2 * np.pi)
    ]
    mass = sum(pf.normal_density(z) for z in turns)
    return np.asarray(mass / (0.8 * 0.15 * radius))


def fold(x: Float64) -> Float64:
    """z₂² has the χ² density of one degree of freedom."""
    square = (x[:, 1] - x[:, 0] / 2).clip(min=0)
    with np.errstate(divide="ignore"):
        chi = np.exp(-square / 2) / np.sqrt(2 * np.pi * square)
    normal = np.exp(-(x[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray(np.where(square > 0, normal * chi, 0.0))


LINEAR = np.array([[1.5, 0.4], [-0.3, 0.5]])
CASES: dict[str, tuple[pf.Map, pf.Map]] = {
    "linear": (lambda z: z @ LINEAR.T, linear),
    "ring": (pf.formula("ring"), pf.ring_density),
    "spiral": (pf.formula("spiral"), spiral),
    "half-moon": (pf.formula("half-moon"), half_moon),
    "fold": (pf.formula("fold"), fold),
}


@pytest.mark.parametrize("name", CASES)
def test_the_density_is_the_closed_form(name: str) -> None:
    f, closed_form = CASES[name]
    region = pf.window(f(pf.samples(4_000)))
    found, truth = pf.density(f, region, (80, 80)).ravel(), closed_form(middles(region, 80))
    error = np.abs(found - truth)
    # At a crease, or by the origin for the ring, where f has no value, a preimage may be missed.
    assert (error > 1e-5 * truth + 1e-4 * truth.max()).mean() < 0.01
    assert error.sum() < 2e-3 * truth.sum()
    assert truth.max() > 0.1


@pytest.mark.parametrize("t", [0.0, 0.3, 0.7])
def test_the_ring_is_right_on_its_way(t: float) -> None:
    f = pf.towards(pf.formula("ring"), t)
    region = pf.window(f(pf.samples(4_000)))
    found, truth = pf.density(f, region, (60, 60)).ravel(), pf.ring_density(middles(region, 60), t)
    assert np.quantile(np.abs(found - truth), 0.999) < 1e-4 * truth.max()


@pytest.mark.parametrize("name", ["linear", "ring", "spiral", "half-moon"])
def test_it_integrates_to_one(name: str) -> None:
    f, _ = CASES[name]
    left, right, bottom, top = pf.window(f(pf.samples(4_000)))
    region = (1.5 * left, 1.5 * right, 1.5 * bottom, 1.5 * top)
    assert pf.density(f, region, (160, 160)).sum() * area(region, 160) == pytest.approx(1, abs=4e-3)


@pytest.mark.parametrize("name", ["linear", "ring", "half-moon"])
def test_a_million_samples_agree_within_their_error(name: str) -> None:
    f, _ = CASES[name]
    n, side = 1_000_000, 30
    x = f(pf.samples(n, seed=3))
    region = pf.window(x)
    counts = pf.histogram(x, region, (side, side)) * n * area(region, side)
    fine = pf.block_means(pf.density(f, region, (8 * side, 8 * side)), 8)
    expected = fine * n * area(region, side)
    some = expected > 100
    error = (counts - expected)[some] / np.sqrt(expected[some])
    assert some.sum() > 100
    assert np.sqrt(np.mean(error**2)) == pytest.approx(1, abs=0.2)
    assert np.abs(error).max() < 5


def test_all_preimages_are_found() -> None:
    f = pf.formula("fold")
    here = f(np.array([[0.5, 0.8]]))[0]
    density, z = pf.density_at(f, here)
    np.testing.assert_allclose(z[z[:, 1].argsort()], [[0.5, -0.8], [0.5, 0.8]], atol=1e-8)
    assert density == pytest.approx(2 * pf.normal_density(np.array([0.5, 0.8])) / 1.6)


def test_where_nothing_goes_there_is_no_density() -> None:
    density, z = pf.density_at(pf.formula("ring"), np.array([0.1, 0.2]))
    assert density == 0
    assert len(z) == 0


def test_what_is_torn_has_no_density_in_the_gap() -> None:
    torn = pf.Formula.parse("z1 + abs(z1)/z1", "z2")
    left, middle, right = (pf.density_at(torn, np.array([x, 0.1]))[0] for x in (-1.5, 0.2, 1.5))
    assert middle == 0
    assert [left, right] == pytest.approx([pf.normal_density(np.array([0.5, 0.1]))] * 2)


def test_the_jacobian_of_a_linear_map_is_its_matrix() -> None:
    z = pf.samples(5)
    jacobian = pf.jacobian(lambda z: z @ LINEAR.T, z)
    np.testing.assert_allclose(jacobian, np.broadcast_to(LINEAR, (5, 2, 2)), atol=1e-9)
    np.testing.assert_allclose(pf.stretch(lambda z: z @ LINEAR.T, z), abs(np.linalg.det(LINEAR)))


def test_the_spiral_keeps_a_seventh_of_every_area() -> None:
    np.testing.assert_allclose(pf.stretch(pf.formula("spiral"), pf.samples(50)), 1 / 7, rtol=1e-6)


def test_a_histogram_counts_samples_elsewhere() -> None:
    x = np.array([[0.5, 0.5], [1.5, 0.5], [9.0, 9.0], [np.nan, 0.0]])
    found = pf.histogram(x, (0.0, 2.0, 0.0, 2.0), (2, 2))
    np.testing.assert_allclose(found, np.array([[0.25, 0.25], [0.0, 0.0]]))


def test_a_function_without_values_has_a_window_and_no_density() -> None:
    nowhere = pf.Formula.parse("log(0*z1)", "z2")
    region = pf.window(nowhere(pf.samples(10)))
    assert region == (-3, 3, -3, 3)
    assert not pf.density(nowhere, region, (4, 4)).any()
    huge = pf.Formula.parse("1e30*z1", "exp(exp(9*z2))")
    assert np.isfinite(pf.window(huge(pf.samples(10)))).all()
    assert np.isfinite(pf.density(huge, pf.window(huge(pf.samples(10))), (4, 4))).all()


def test_total_variation_is_the_mass_that_lies_elsewhere() -> None:
    p, q = np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])
    assert pf.total_variation(p, q, 1.0) == 0.5
    assert pf.total_variation(p, p, 1.0) == 0


@pytest.mark.parametrize("name", ["half-moon", "fold"])
def test_cells_have_the_mass_that_samples_bring_them(name: str) -> None:
    """Also at the crease of the fold, where the density has no bound."""
    f = pf.formula(name)
    x = f(pf.samples(1_000_000))
    region = pf.window(x[:4_000])
    means = pf.cell_means(f, region, (20, 20))
    area = (region[1] - region[0]) ** 2 / 400
    sampled = pf.histogram(x, region, (20, 20))
    assert pf.total_variation(means, sampled, area) < 0.01
    assert means.sum() * area == pytest.approx(sampled.sum() * area, abs=1e-3)
