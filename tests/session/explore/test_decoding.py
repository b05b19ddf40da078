from typing import NoReturn

import numpy as np
import pytest

from tests.support.parts import show
from tests.support.stand_ins import Frames
from vae_explorer.session.explore.decoding import Decoded, Decoding
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapPoints
from vae_explorer.training.snapshot import Snapshot


@pytest.fixture
def decoding(latent_map: LatentMap, frames: Frames) -> Decoding:
    return Decoding(latent_map, frames.defer)


@pytest.fixture
def shown(decoding: Decoding) -> list[Decoded]:
    """Every picture shown."""
    seen: list[Decoded] = []
    decoding.decoded.connect(seen.append)
    return seen


def test_a_position_is_decoded_in_its_turn(
    decoding: Decoding, shown: list[Decoded], frames: Frames, trained: Snapshot
) -> None:
    decoding.request((0.5, -2.0))
    assert shown == []
    frames.next()
    (picture,) = shown
    assert picture.z == (0.5, -2.0)
    np.testing.assert_array_equal(picture.image, trained.model.decode(np.array([[0.5, -2.0]]))[0])
    assert picture.milliseconds > 0
    assert not picture.preview


@pytest.mark.parametrize("preview", [False, True])
def test_of_many_requests_the_newest_is_decoded_once(
    decoding: Decoding, shown: list[Decoded], frames: Frames, preview: bool
) -> None:
    for step in range(10_000):
        decoding.request((step / 1_000, 0.0), preview=not preview)
    decoding.request((9.999, 0.0), preview=preview)
    assert frames.waiting == 1
    frames.next()
    frames.next()
    assert [(picture.z, picture.preview) for picture in shown] == [((9.999, 0.0), preview)]


def test_each_turn_decodes_at_most_once(
    decoding: Decoding, shown: list[Decoded], frames: Frames
) -> None:
    for frame in range(20):
        for step in range(5):
            decoding.request((float(frame), float(step)))
        frames.next()
    assert [picture.z for picture in shown] == [(float(frame), 4.0) for frame in range(20)]


def test_without_a_model_the_last_request_waits_for_one(
    empty_map: LatentMap, frames: Frames, trained: Snapshot, points: MapPoints
) -> None:
    decoding = Decoding(empty_map, frames.defer)
    shown: list[Decoded] = []
    decoding.decoded.connect(shown.append)
    decoding.request((1.0, 1.0))
    decoding.request((2.0, 2.0), preview=True)
    decoding.flush()
    assert (shown, frames.waiting) == ([], 0)
    empty_map.show(trained, "model", None)
    frames.next()
    assert [(picture.z, picture.preview) for picture in shown] == [((1.0, 1.0), False)]


def test_another_model_serves_what_was_asked_before_and_decodes_the_last_again(
    decoding: Decoding,
    shown: list[Decoded],
    frames: Frames,
    latent_map: LatentMap,
    other: Snapshot,
    points: MapPoints,
) -> None:
    decoding.request((1.0, 2.0))
    show(latent_map, other, points)
    frames.next()
    expected = other.model.decode(np.array([[1.0, 2.0]]))[0]
    decoding.request((0.0, 0.0), preview=True)
    show(latent_map, other, points)
    frames.next()
    assert [picture.z for picture in shown] == [(1.0, 2.0), (0.0, 0.0)], "the model is the same"
    np.testing.assert_array_equal(shown[0].image, expected)


def test_flush_does_not_wait_for_the_turn(
    decoding: Decoding, shown: list[Decoded], frames: Frames
) -> None:
    decoding.request((1.0, 1.0))
    decoding.flush()
    frames.next()
    assert len(shown) == 1


def test_a_request_made_while_showing_gets_a_turn_of_its_own(
    decoding: Decoding, shown: list[Decoded], frames: Frames
) -> None:
    def ask_again(picture: Decoded) -> None:
        if picture.z == (1.0, 1.0):
            decoding.request((2.0, 2.0))

    decoding.decoded.connect(ask_again)
    decoding.request((1.0, 1.0))
    frames.next()
    assert len(shown) == 1
    frames.next()
    assert [picture.z for picture in shown] == [(1.0, 1.0), (2.0, 2.0)]


def test_after_a_model_failed_the_next_position_is_decoded(
    decoding: Decoding,
    shown: list[Decoded],
    frames: Frames,
    trained: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def breaks(*_: object) -> NoReturn:
        raise RuntimeError("no memory")

    with monkeypatch.context() as patch:
        patch.setattr(type(trained.model), "decode", breaks)
        decoding.request((1.0, 1.0))
        with pytest.raises(RuntimeError, match="no memory"):
            frames.next()
    decoding.request((2.0, 2.0))
    frames.next()
    assert [picture.z for picture in shown] == [(2.0, 2.0)]
