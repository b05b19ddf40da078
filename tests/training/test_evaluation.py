import numpy as np
import pytest
from scipy import stats

from vae_explorer.data.dataset import ImageSet
from vae_explorer.training.evaluation import evaluate
from vae_explorer.training.snapshot import Snapshot


def test_it_is_the_mean_of_the_terms(snapshot: Snapshot, mnist_small: ImageSet) -> None:
    scores = evaluate(snapshot.model, mnist_small, seed=4)
    terms = snapshot.model.elbo_terms(mnist_small.images, 4)
    assert scores.elbo == pytest.approx(np.mean(terms.elbo.astype(float)))
    assert scores.log_likelihood == pytest.approx(np.mean(terms.log_likelihood.astype(float)))
    assert scores.kl == pytest.approx(np.mean(terms.kl.astype(float)))
    assert scores.elbo == pytest.approx(scores.log_likelihood - scores.kl, abs=1e-4)
    expected = stats.sem(terms.elbo.astype(float), ddof=0)
    assert scores.standard_error == pytest.approx(expected)


def test_it_says_what_the_figures_depend_on(snapshot: Snapshot, mnist_small: ImageSet) -> None:
    scores = evaluate(snapshot.model, mnist_small, seed=4)
    assert scores.images == 1_000
    assert scores.data == "MNIST train"
    assert scores.treatment == "binarized"
    assert scores.estimator == "ELBO"
    assert scores.seed == 4


def test_the_seed_matters_within_the_noise(snapshot: Snapshot, mnist_small: ImageSet) -> None:
    first = evaluate(snapshot.model, mnist_small, seed=1)
    assert evaluate(snapshot.model, mnist_small, seed=1) == first
    other = evaluate(snapshot.model, mnist_small, seed=2)
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
        evaluate(snapshot.model, mnist_small, check=stop)
