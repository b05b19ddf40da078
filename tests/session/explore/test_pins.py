"""The tray of pinned images."""

import numpy as np
import pytest

from tests.support.parts import show
from vae_explorer.data.bundled import in_both
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.figures import image_figures
from vae_explorer.session.edits import Edit
from vae_explorer.session.explore.pins import Pin, Pins
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapPoints
from vae_explorer.training.snapshot import Snapshot

A: Pin = "train", 3
B: Pin = "test", 3
C: Pin = "train", 5


class Tray:
    """Pins and the edits they tell."""

    def __init__(self, pins: Pins) -> None:
        self.pins = pins
        self.edits: list[Edit] = []
        self.pins.edited.connect(self.edits.append)

    @property
    def state(self) -> tuple[list[Pin], Pin | None]:
        current = self.pins.current
        tray = [(point.split, point.index) for point in self.pins.tray]
        return tray, (current.split, current.index) if current else None


@pytest.fixture
def tray(pins: Pins) -> Tray:
    return Tray(pins)


def test_the_newest_is_looked_at_until_another_is_or_it_goes(tray: Tray) -> None:
    pins = tray.pins
    pins.pin(*A)
    pins.toggle(*B)
    pins.toggle(*C)
    assert tray.state == ([A, B, C], C)
    pins.look_at(*A)
    pins.look_at("test", 9)  # not in the tray
    pins.toggle(*A)
    assert tray.state == ([B, C], C), "the newest of the others"
    pins.remove(*B)
    assert tray.state == ([C], C)
    pins.pin(*B)
    assert tray.state == ([B], B)
    pins.clear()
    assert (pins.tray, pins.current) == ((), None)


def test_every_edit_can_be_undone_and_done_again(tray: Tray) -> None:
    states = [tray.state]
    for change, pin in (("pin", A), ("toggle", B), ("toggle", C), ("remove", C), ("pin", B)):
        getattr(tray.pins, change)(*pin)
        states.append(tray.state)
    tray.pins.clear()
    states.append(tray.state)
    texts = ["Pin", "Add Pin", "Add Pin", "Remove Pin", "Pin", "Clear Pins"]
    assert [edit.text for edit in tray.edits] == texts
    for edit, state in zip(reversed(tray.edits), reversed(states[:-1]), strict=True):
        edit.undo()
        assert tray.state == state
    for edit, state in zip(tray.edits, states[1:], strict=True):
        edit.redo()
        assert tray.state == state
    assert len(tray.edits) == 6, "to undo is no edit"


def test_what_changes_nothing_is_no_edit(tray: Tray) -> None:
    tray.pins.clear()
    tray.pins.pin(*A)
    tray.pins.pin(*A)
    tray.pins.remove(*B)
    tray.pins.look_at(*A)
    assert len(tray.edits) == 1


def test_pins_are_described_by_the_model_on_the_map_whoever_hears_of_it_first(
    latent_map: LatentMap, other: Snapshot, points: MapPoints, small_mnist: dict[str, ImageSet]
) -> None:
    early: list[float] = []

    def hear() -> None:
        early.extend(point.elbo for point in pins.tray)

    latent_map.changed.connect(hear)
    pins = Pins(latent_map)
    pins.pin(*A)
    pins.toggle(*B)
    show(latent_map, other, points)
    assert early == [point.elbo for point in pins.tray]
    assert Tray(pins).state == ([A, B], B)
    for point, (split, index) in zip(pins.tray, (A, B), strict=True):
        image = small_mnist[split].images[[index]]
        figures = image_figures(other.model, image, in_both(split, np.array([index])))
        assert point.elbo == figures.elbo[0]
        np.testing.assert_array_equal(point.mean, other.model.encode(image).mean[0])
