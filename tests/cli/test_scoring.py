import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from vae_explorer.data.bundled import mnist
from vae_explorer.data.dataset import ImageSet
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.published import PUBLISHED

Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def _fewer_images(monkeypatch: pytest.MonkeyPatch) -> None:
    def some(split: str) -> ImageSet:
        return mnist(split).subset(slice(0, 200 if split == "test" else 300))

    monkeypatch.setattr("vae_explorer.data.bundled.mnist", some)


def test_json_holds_the_scores_and_what_they_depend_on(cli: Cli, checkpoint: Path) -> None:
    result = cli("evaluate", checkpoint, "--seed", 3, "--subset", 4, "--json")
    assert result.exit_code == 0
    (score,) = json.loads(result.stdout)["models"]
    terms = read_checkpoint(checkpoint).model.elbo_terms(mnist("test").images[:200], seed=3)
    assert score["elbo"] == pytest.approx(terms.elbo.mean())
    assert score["log_likelihood"] == pytest.approx(terms.log_likelihood.mean())
    assert score["kl"] == pytest.approx(terms.kl.mean())
    assert score["standard_error"] == pytest.approx(terms.elbo.std() / np.sqrt(200))
    context = {key: score[key] for key in ("images", "subset", "data", "treatment", "seed")}
    assert context == {
        "images": 200,
        "subset": 4,
        "data": "MNIST test",
        "treatment": "binarized",
        "seed": 3,
    }
    assert score["checkpoint"] == str(checkpoint)


def test_one_table_for_all_models_and_what_is_published(cli: Cli, checkpoint: Path) -> None:
    row = json.loads(cli("evaluate", checkpoint, "--subset", 4, "--json").stdout)["models"][0]
    shown = cli("evaluate", checkpoint, checkpoint, "--subset", 4).stdout
    lines = [line for line in shown.splitlines() if line.startswith("tiny ")]
    assert len(lines) == 2
    for key in ("elbo", "iwae_50", "iwae_5000", "approximation_gap", "mutual_information"):
        assert f"{row[key]:.2f}" in lines[0]
    assert f"{row['log_marginal']:.3f} ± {row['log_marginal_error']:.4f}" in lines[0]
    assert "MNIST test, 200 images" in shown
    assert "binarized" in lines[0]
    assert "seed 0" in shown
    for published in PUBLISHED:
        assert published.source in shown
        assert f"{published.log_marginal:.2f} (IS {published.samples})" in shown


def test_the_columns_are_straight(cli: Cli, checkpoint: Path) -> None:
    lines = cli("evaluate", checkpoint, "--subset", 4).stdout.splitlines()
    head = next(line for line in lines if line.startswith("model "))
    rows = [line for line in lines if line.startswith(("tiny ", "Gaussian", "sphere"))]
    assert len(rows) == 1 + len(PUBLISHED)
    end = head.index("log p(x|z)") + len("log p(x|z)")
    for row in rows:
        assert row[end : end + 1] == " "
        assert row[end - 1].isdigit() or not row[head.index("log p(x)") + 12 :].strip()
    assert max(len(line) for line in [head, *rows]) <= 120


def test_published_rows_are_in_the_json_too(cli: Cli, checkpoint: Path) -> None:
    rows = json.loads(cli("evaluate", checkpoint, "--subset", 4, "--json").stdout)["published"]
    assert [row["log_marginal"] for row in rows] == [row.log_marginal for row in PUBLISHED]


def test_the_training_images_are_another_set(cli: Cli, checkpoint: Path) -> None:
    result = cli("evaluate", checkpoint, "--data", "train", "--subset", 4, "--json")
    (score,) = json.loads(result.stdout)["models"]
    assert score["images"] == 300
    assert json.loads(result.stdout)["published"] == [], "they are of the test images"
    assert score["data"] == "MNIST train"
