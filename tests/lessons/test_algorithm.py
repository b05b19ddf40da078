"""The algorithm of the first paper, with either estimator."""

import numpy as np
import pytest

from vae_explorer.lessons import algorithm


def test_a_seed_gives_the_same_training_whatever_else_is_sampled() -> None:
    first = list(algorithm.train(steps=3))
    np.random.default_rng().standard_normal(3)
    assert list(algorithm.train(steps=3)) == first
    assert list(algorithm.train(steps=3, seed=1)) != first


def test_both_estimators_begin_at_the_same_elbo() -> None:
    """That of an untrained decoder, log ½ of each pixel, and of a q that is nearly the prior."""
    path, score = (next(algorithm.train(name, steps=1)) for name in algorithm.ESTIMATORS)
    assert path == score == pytest.approx(784 * np.log(0.5), rel=0.02)


def test_a_check_ends_the_training() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(algorithm.train(check=stop))
