import numpy as np
import pytest
from scipy import stats

from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.aggregate import aggregate
from vae_explorer.latent.gap import gap
from vae_explorer.latent.importance import iwae
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.training.evaluation import evaluate
from vae_explorer.training.snapshot import Snapshot


def test_it_is_the_mean_of_the_terms_and_says_what_it_depends_on(
    snapshot: Snapshot, mnist_small: ImageSet
) -> None:
    few = mnist_small.subset(slice(200))
    scores = evaluate(snapshot.model, few, seed=4, subset=3)
    terms = snapshot.model.elbo_terms(few.images, 4)
    assert scores.elbo == pytest.approx(np.mean(terms.elbo.astype(float)))
    assert scores.log_likelihood == pytest.approx(np.mean(terms.log_likelihood.astype(float)))
    assert scores.kl == pytest.approx(np.mean(terms.kl.astype(float)))
    assert scores.elbo == pytest.approx(scores.log_likelihood - scores.kl, abs=1e-4)
    expected = stats.sem(terms.elbo.astype(float), ddof=0)
    assert scores.standard_error == pytest.approx(expected)
    assert (scores.images, scores.subset, scores.seed) == (200, 3, 4)
    assert (scores.data, scores.treatment) == ("MNIST train", "binarized")


def test_every_bound_is_held_against_the_exact_log_marginal(
    snapshot: Snapshot, mnist_small: ImageSet
) -> None:
    few = mnist_small.subset(slice(0, 5))
    scores = evaluate(snapshot.model, few, seed=4, subset=5)
    x = snapshot.model.treated(few.images, 4)
    exact = exact_posterior(snapshot.model, x)
    assert scores.log_marginal == pytest.approx(exact.log_marginal.mean())
    assert scores.log_marginal_error == pytest.approx(exact.error.mean())
    assert scores.elbo < scores.iwae_50 < scores.log_marginal + 0.1
    assert scores.iwae_5000 == pytest.approx(iwae(snapshot.model, x, 5_000, 4).mean())
    assert scores.iwae_5000 == pytest.approx(scores.log_marginal, abs=0.05)
    anatomy = gap(snapshot.model, x, exact.log_marginal)
    assert scores.approximation_gap == pytest.approx(anatomy.approximation.mean())
    assert scores.amortisation_gap == pytest.approx(anatomy.amortisation.mean())
    codes = aggregate(snapshot.model, x, 4)
    assert scores.mutual_information == codes.mutual_information
    assert scores.marginal_kl == codes.marginal_kl
    assert scores.active_units == codes.active_units
    gaps = scores.approximation_gap + scores.amortisation_gap
    assert scores.log_marginal - gaps == pytest.approx(scores.elbo, abs=0.5)  # one z an image


def test_the_seed_matters_within_the_noise(snapshot: Snapshot, mnist_small: ImageSet) -> None:
    few = mnist_small.subset(slice(0, 30))
    first = evaluate(snapshot.model, few, seed=1, subset=2)
    assert evaluate(snapshot.model, few, seed=1, subset=2) == first
    other = evaluate(snapshot.model, few, seed=2, subset=2)
    assert other.elbo != first.elbo
    assert other.elbo == pytest.approx(first.elbo, abs=5 * first.standard_error)


def test_one_image_can_be_scored(snapshot: Snapshot, mnist_small: ImageSet) -> None:
    scores = evaluate(snapshot.model, mnist_small.subset(slice(0, 1)))
    assert scores.images == 1
    assert np.isfinite(scores.elbo)
    assert scores.standard_error == 0


def test_it_asks_whether_to_go_on(snapshot: Snapshot, mnist_small: ImageSet) -> None:
    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        evaluate(snapshot.model, mnist_small.subset(slice(20)), check=stop)
