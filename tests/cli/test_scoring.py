import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from vae_explorer.data.bundled import mnist
from vae_explorer.data.dataset import ImageSet
from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.published import PUBLISHED
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import DataReference, Snapshot

Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def _fewer_images(hardly_refined: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def some(split: str) -> ImageSet:
        return mnist(split).subset(slice(0, 20 if split == "test" else 30))

    monkeypatch.setattr("vae_explorer.data.bundled.mnist", some)


def test_json_holds_the_scores_and_what_they_depend_on(cli: Cli, checkpoint: Path) -> None:
    told = json.loads(cli("evaluate", checkpoint, "--seed", 3, "--subset", 2, "--json").stdout)
    (score,) = told["models"]
    terms = read_checkpoint(checkpoint).model.elbo_terms(mnist("test").images[:20], seed=3)
    assert score["elbo"] == pytest.approx(terms.elbo.mean())
    assert score["log_likelihood"] == pytest.approx(terms.log_likelihood.mean())
    assert score["kl"] == pytest.approx(terms.kl.mean())
    assert score["standard_error"] == pytest.approx(terms.elbo.std() / np.sqrt(20))
    context = {key: score[key] for key in ("images", "subset", "data", "treatment", "seed")}
    assert context == {
        "images": 20,
        "subset": 2,
        "data": "MNIST test",
        "treatment": "binarized",
        "seed": 3,
    }
    assert score["checkpoint"] == str(checkpoint)
    assert [row["log_marginal"] for row in told["published"]] == [
        row.log_marginal for row in PUBLISHED
    ]


def test_the_training_images_are_another_set(cli: Cli, checkpoint: Path) -> None:
    told = json.loads(
        cli("evaluate", checkpoint, "--data", "train", "--subset", 2, "--json").stdout
    )
    (score,) = told["models"]
    assert (score["images"], score["data"]) == (30, "MNIST train")
    assert told["published"] == [], "they are of the test images"


def test_a_row_is_named_by_its_run(
    cli: Cli,
    checkpoint: Path,
    run_folder: RunFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    two = mnist("test").subset(slice(0, 2))
    monkeypatch.setattr("vae_explorer.data.bundled.mnist", lambda _: two)
    copies = [tmp_path / name / "tiny.safetensors" for name in ("a", "b")]
    for copy in copies:
        copy.parent.mkdir()
        copy.write_bytes(checkpoint.read_bytes())
    shown = cli("evaluate", run_folder.model_path, *copies, "--subset", 1).stdout
    rows = [line.split()[0] for line in shown.splitlines() if " binarized " in line]
    assert rows[:3] == [run_folder.path.name, *map(str, copies)]


def test_a_model_of_other_data_and_no_likelihood_are_marked(
    cli: Cli, trained: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = mnist("test").subset(slice(0, 2))
    monkeypatch.setattr("vae_explorer.data.bundled.mnist", lambda _: two)
    path = tmp_path / "clothes.safetensors"
    data = DataReference("Fashion-MNIST", "f" * 64, 60_000)
    recipe = trained.recipe.replace(treatment="gray")
    write_checkpoint(replace(trained, recipe=recipe, data=data), path)
    lines = cli("evaluate", path, "--subset", 1).stdout.splitlines()
    assert [line.split()[:3] for line in lines if line.startswith("clothes")] == [
        ["clothes", "⚠", "gray"]
    ]
    assert "Trained: clothes on Fashion-MNIST." in lines
    told = [line for line in lines if line.startswith("⚠ clothes: ")]
    assert "shown on MNIST" in told[0]
    assert "cross-entropy" in told[1]
    (row,) = json.loads(cli("evaluate", path, "--subset", 1, "--json").stdout)["models"]
    assert row["measure"] == "cross-entropy"
    assert row["trained_on"]["name"] == "Fashion-MNIST"
    assert len(row["remarks"]) == 2


def test_one_straight_table_for_all_models_and_what_is_published(
    cli: Cli, checkpoint: Path
) -> None:
    row = json.loads(cli("evaluate", checkpoint, "--subset", 2, "--json").stdout)["models"][0]
    shown = cli("evaluate", checkpoint, checkpoint, "--subset", 2).stdout
    lines = shown.splitlines()
    models = [line for line in lines if line.startswith("tiny ")]
    assert len(models) == 2
    for key in ("elbo", "iwae_50", "iwae_5000", "approximation_gap", "mutual_information"):
        assert f"{row[key]:.2f}" in models[0]
    assert f"{row['log_marginal']:.3f} ± {row['log_marginal_error']:.4f}" in models[0]
    assert "MNIST test, 20 images" in shown
    assert "binarized" in models[0]
    assert "seed 0" in shown
    for published in PUBLISHED:
        assert published.source in shown
        assert f"{published.log_marginal:.2f} (IS {published.samples})" in shown
    head = next(line for line in lines if line.startswith("model "))
    rows = [*models, *(line for line in lines if line.startswith(("Gaussian", "sphere")))]
    assert len(rows) == 2 + len(PUBLISHED)
    end = head.index("log p(x|z)") + len("log p(x|z)")
    for line in rows:
        assert line[end : end + 1] == " "
        assert line[end - 1].isdigit() or not line[head.index("log p(x)") + 12 :].strip()
    assert max(len(line) for line in [head, *rows]) <= 120


def test_ctrl_c_ends_with_130(cli: Cli, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vae_explorer.training.evaluation.evaluate", interrupted)
    result = cli("evaluate", checkpoint)
    assert result.exit_code == 130
    assert result.stderr == "Interrupted.\n"
