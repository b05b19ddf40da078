import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from vae_explorer.data.bundled import mnist
from vae_explorer.training.checkpoint import read_checkpoint

Cli = Callable[..., Result]


def test_json_holds_the_score_and_what_it_depends_on(cli: Cli, checkpoint: Path) -> None:
    result = cli("evaluate", checkpoint, "--seed", 3, "--json")
    assert result.exit_code == 0
    score = json.loads(result.stdout)
    terms = read_checkpoint(checkpoint).model.elbo_terms(mnist("test").images, seed=3)
    assert score["elbo"] == pytest.approx(terms.elbo.mean())
    assert score["log_likelihood"] == pytest.approx(terms.log_likelihood.mean())
    assert score["kl"] == pytest.approx(terms.kl.mean())
    assert score["standard_error"] == pytest.approx(terms.elbo.std() / 100)
    context = {key: score[key] for key in ("images", "data", "treatment", "estimator", "seed")}
    assert context == {
        "images": 10_000,
        "data": "MNIST test",
        "treatment": "binarized",
        "estimator": "ELBO",
        "seed": 3,
    }


def test_text_says_the_same(cli: Cli, checkpoint: Path) -> None:
    score = json.loads(cli("evaluate", checkpoint, "--json").stdout)
    shown = cli("evaluate", checkpoint).stdout
    for key in ("elbo", "log_likelihood", "kl", "standard_error"):
        assert f"{score[key]:.3f} nats" in shown
    assert "MNIST test, 10,000 images" in shown
    assert "binarized" in shown
    assert "seed 0" in shown


def test_the_training_images_are_another_set(cli: Cli, checkpoint: Path) -> None:
    score = json.loads(cli("evaluate", checkpoint, "--data", "train", "--json").stdout)
    assert score["images"] == 60_000
    assert score["data"] == "MNIST train"
