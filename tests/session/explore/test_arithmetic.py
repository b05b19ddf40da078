import dataclasses

import numpy as np
import pytest

from tests.support.parts import show
from tests.support.stand_ins import Failures
from vae_explorer.model.trained import Posterior
from vae_explorer.session.explore.arithmetic import Arithmetic
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.selection import Selection
from vae_explorer.session.map.state import MapPoints
from vae_explorer.training.snapshot import Snapshot


class Sums:
    """Arithmetic on the training images, and what it says."""

    def __init__(
        self,
        latent_map: LatentMap,
        pins: Pins,
        selection: Selection,
        cursor: Cursor,
        failures: Failures,
    ) -> None:
        self.said: list[str] = []
        self.map, self.pins, self.selection, self.cursor = latent_map, pins, selection, cursor
        self.arithmetic = Arithmetic(
            latent_map, pins, selection, cursor, self.said.append, failures
        )


@pytest.fixture
def sums(
    latent_map: LatentMap, pins: Pins, selection: Selection, cursor: Cursor, failures: Failures
) -> Sums:
    return Sums(latent_map, pins, selection, cursor, failures)


def test_an_analogy_goes_to_the_fourth_corner(sums: Sums) -> None:
    for index in (9, 4, 5, 6):
        sums.pins.toggle("train", index)
    sums.arithmetic.analogy()
    assert sums.map.points is not None
    means = sums.map.points.positions.astype(float)
    np.testing.assert_allclose(sums.cursor.position, means[4] - means[5] + means[6], atol=1e-5)
    (said,) = sums.said
    labels = [pin.label for pin in sums.pins.tray]
    assert said.startswith(f"{labels[1]} − {labels[2]} + {labels[3]}: of the 20 nearest")


def test_an_attribute_is_added_to_the_cursor(sums: Sums) -> None:
    assert sums.map.points is not None
    codes, labels = sums.map.points.positions.astype(float), sums.map.points.labels
    sums.cursor.move(0.25, 0.5)
    sums.selection.replace(np.flatnonzero(labels == 1))
    sums.arithmetic.add_attribute()
    vector = codes[labels == 1].mean(0) - codes[labels != 1].mean(0)
    np.testing.assert_allclose(sums.cursor.position, np.array([0.25, 0.5]) + vector, atol=1e-5)
    assert "%" in sums.said[0]


def test_what_is_missing_is_said(sums: Sums, failures: Failures) -> None:
    sums.pins.pin("train", 1)
    sums.arithmetic.analogy()
    sums.arithmetic.add_attribute()
    sums.selection.replace(np.arange(600))
    sums.arithmetic.add_attribute()
    texts = [str(error) for _, error in failures]
    assert ["three pinned" in texts[0], "Select some" in texts[1], "Select some" in texts[2]] == [
        True
    ] * 3
    assert sums.cursor.position == (0.0, 0.0)
    assert sums.said == []
    failures.clear()


def test_codes_that_are_not_finite_are_told(
    sums: Sums, failures: Failures, trained: Snapshot, points: MapPoints, posterior: Posterior
) -> None:
    for index in (4, 5, 6):
        sums.pins.toggle("train", index)
    lost = Posterior(np.full_like(posterior.mean, np.nan), posterior.covariance)
    show(sums.map, trained, dataclasses.replace(points, positions=lost.mean), lost)
    sums.arithmetic.analogy()
    sums.selection.replace([3])
    sums.arithmetic.add_attribute()
    assert [title for title, _ in failures] == ["The cursor did not move"] * 2
    assert sums.cursor.position == (0.0, 0.0)
    assert sums.said == []
    failures.clear()
