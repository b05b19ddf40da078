import numpy as np
import pytest
from scipy.interpolate import RectBivariateSpline

from vae_explorer.latent.geodesic import mean_images
from vae_explorer.latent.metric import magnification, pullback_metric
from vae_explorer.lessons.decoded_sheet import DecodedSheet, decoded_sheet, sheet_magnification
from vae_explorer.lessons.pushforward import jacobian, samples
from vae_explorer.model.trained import TrainedVAE


@pytest.fixture(scope="module")
def sheet(model: TrainedVAE) -> DecodedSheet:
    return decoded_sheet(model)


def test_the_components_are_those_of_decoded_draws(model: TrainedVAE, sheet: DecodedSheet) -> None:
    z = samples(4_000)
    images = mean_images(model)(z).astype(float)
    variances = np.linalg.eigvalsh(np.cov(images.T))[::-1]
    np.testing.assert_allclose(sheet.shares, (variances / variances.sum())[:6], rtol=0.1)
    x = np.concatenate([sheet.onto(0, 1)(z), sheet.onto(2, 3)(z)], axis=1)
    np.testing.assert_allclose(x.var(0), variances[:4], rtol=0.1)
    correlations = np.corrcoef(x.T) - np.eye(4)
    assert np.abs(correlations).max() < 0.15


def test_between_nodes_the_surface_is_that_of_the_decoder(
    model: TrainedVAE, sheet: DecodedSheet
) -> None:
    z = samples(500, seed=1) * 0.7
    axis = np.stack(np.meshgrid(sheet.axis, sheet.axis, indexing="ij"), axis=2).reshape(-1, 2)
    images = mean_images(model)
    # The components are a linear function of the images; found from the nodes, it holds between.
    some = np.random.default_rng(0).choice(len(axis), 3_000, replace=False)
    known = np.c_[images(axis[some]), np.ones(len(some))].astype(float)
    projection = np.linalg.lstsq(known, sheet.coordinates.reshape(-1, 6)[some, :2], rcond=None)[0]
    exact = np.c_[images(z), np.ones(len(z))] @ projection
    error = np.linalg.norm(sheet.onto(0, 1)(z) - exact, axis=1)
    assert np.median(error) < 0.02
    assert np.quantile(error, 0.99) < 0.3


def test_the_magnification_is_that_of_the_metric(model: TrainedVAE) -> None:
    z = samples(5)
    metric = pullback_metric(model, z)
    np.testing.assert_allclose(sheet_magnification(model, z), magnification(metric))


def test_the_derivatives_are_those_of_the_surface(sheet: DecodedSheet) -> None:
    z, f = samples(50), sheet.onto(1, 0)
    steps = 1e-5 * np.eye(2)
    slopes = np.stack([(f(z + step) - f(z - step)) / 2e-5 for step in steps], axis=2)
    np.testing.assert_allclose(f.jacobian(z), slopes, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(jacobian(f, z), f.jacobian(z))


def test_the_surface_is_the_spline_through_the_nodes(sheet: DecodedSheet) -> None:
    z = samples(5_000)
    z = z[np.abs(z).max(1) < 4]  # the ends of SciPy's are bent otherwise
    exact = RectBivariateSpline(sheet.axis, sheet.axis, sheet.coordinates[..., 1])
    np.testing.assert_allclose(sheet.onto(0, 1)(z)[:, 1], exact.ev(*z.T), atol=1e-3)
