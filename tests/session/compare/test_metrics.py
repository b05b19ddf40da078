import dataclasses

import numpy as np
import pytest

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import ImageSet
from vae_explorer.model.trained import unchecked
from vae_explorer.session.compare.metrics import (
    Column,
    Scores,
    common_images,
    comparison_table,
    score,
)
from vae_explorer.training.snapshot import Snapshot

MIRROR = np.array([[1.0, 0.0], [0.0, -1.0]])


def column(snapshot: Snapshot, scores: Scores | None = None) -> Column:
    codes = np.random.default_rng(0).standard_normal((40, 2)).astype(np.float32)
    return Column("one", snapshot, codes, scores)


def test_a_side_without_a_model_is_empty(trained: Snapshot) -> None:
    table = comparison_table(None, column(trained), None, mnist_dataset())
    assert table.names == ("", "one")
    assert {row.a for row in table.rows} == {None, ""}
    assert [row.b for row in table.rows][:4] == [
        trained.epoch,
        trained.recipe.objective,
        trained.recipe.treatment,
        f"{trained.model.parameters:,}",
    ]
    assert [row.b for row in table.rows][5:] == [None] * 6


def test_the_gap_is_what_the_elbo_lacks(trained: Snapshot) -> None:
    scored = column(trained, Scores(elbo=-130.0, log_marginal=-128.5, kl=7.5, active_units=2))
    row = next(
        row
        for row in comparison_table(scored, None, None, mnist_dataset()).rows
        if "Gap" in row.name
    )
    assert (row.a, row.b, row.unit) == (1.5, None, "nats")


def test_images_are_apart_by_what_no_rotation_mends(trained: Snapshot) -> None:
    a = column(trained)
    b = dataclasses.replace(a, codes=(a.codes @ MIRROR + [3.0, 4.0]).astype(np.float32))
    (*_, row) = comparison_table(a, b, MIRROR, mnist_dataset()).rows
    assert row.b == pytest.approx(5.0, rel=1e-6)
    (*_, row) = comparison_table(a, b, None, mnist_dataset()).rows
    assert row.b is None


def test_all_images_are_scored_and_counted(
    trained: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    told: list[tuple[int, int]] = []
    scores = score(
        trained.model, mnist_dataset(), lambda done, total: told.append((done, total)), unchecked
    )
    assert told == [(done, 300) for done in (0, 100, 200, 300)]
    assert scores.elbo < scores.log_marginal < 0
    images, seeds = common_images(mnist_dataset())
    assert images.shape == (300, 28, 28)
    assert len(set(seeds.tolist())) == 300
