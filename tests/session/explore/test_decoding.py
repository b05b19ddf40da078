from typing import TYPE_CHECKING

import numpy as np
import pytest

from vae_explorer.session.explore.decoding import Decoding
from vae_explorer.session.state import Decoded
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float32, Floats

if TYPE_CHECKING:
    from tests.support.stand_ins import Frames


class Echo:
    """Decodes z to the 1 × 2 image of z and notes every call."""

    def __init__(self, sign: float = 1.0) -> None:
        self.sign = sign
        self.asked: list[tuple[float, float]] = []

    def decode(self, z: Floats) -> Float32:
        assert z.shape == (1, 2)
        assert z.dtype == np.float32
        self.asked.append((float(z[0, 0]), float(z[0, 1])))
        return np.asarray(self.sign * z[:, None, :], np.float32)


class Broken:
    def decode(self, z: Floats) -> Float32:
        raise RuntimeError(f"cannot decode {z.shape}")


@pytest.fixture
def decoding(frames: "Frames") -> Decoding:
    return Decoding(frames.defer)


@pytest.fixture
def shown(decoding: Decoding) -> list[Decoded]:
    """Every picture shown."""
    seen: list[Decoded] = []
    decoding.decoded.connect(seen.append)
    return seen


def test_a_place_is_decoded_in_its_turn(
    decoding: Decoding, shown: list[Decoded], frames: "Frames"
) -> None:
    decoder = Echo()
    decoding.set_decoder(decoder)
    decoding.request((0.5, -2.0))
    assert decoder.asked == []
    frames.next()
    (picture,) = shown
    assert picture.z == (0.5, -2.0)
    assert picture.image.tolist() == [[0.5, -2.0]]
    assert picture.image.dtype == np.float32
    assert picture.milliseconds > 0
    assert not picture.preview


def test_of_many_requests_the_newest_is_decoded_once(
    decoding: Decoding, shown: list[Decoded], frames: "Frames"
) -> None:
    decoder = Echo()
    decoding.set_decoder(decoder)
    for step in range(10_000):
        decoding.request((step / 1_000, 0.0), preview=step % 2 == 0)
    assert frames.waiting == 1
    frames.next()
    assert len(decoder.asked) == 1
    assert decoder.asked[0] == pytest.approx((9.999, 0.0))
    assert [picture.z for picture in shown] == [(9.999, 0.0)]
    frames.next()
    assert len(shown) == 1


def test_each_turn_decodes_at_most_once(
    decoding: Decoding, shown: list[Decoded], frames: "Frames"
) -> None:
    decoding.set_decoder(Echo())
    for frame in range(20):
        for place in range(5):
            decoding.request((float(frame), float(place)))
        frames.next()
    assert [picture.z for picture in shown] == [(float(frame), 4.0) for frame in range(20)]


@pytest.mark.parametrize("preview", [False, True])
def test_the_preview_flag_is_the_newest_request_s(
    decoding: Decoding, shown: list[Decoded], frames: "Frames", preview: bool
) -> None:
    decoding.set_decoder(Echo())
    decoding.request((1.0, 1.0), preview=not preview)
    decoding.request((2.0, 2.0), preview=preview)
    frames.next()
    assert [(picture.z, picture.preview) for picture in shown] == [((2.0, 2.0), preview)]


def test_without_a_decoder_nothing_is_shown_and_nothing_gets_stuck(
    decoding: Decoding, shown: list[Decoded], frames: "Frames"
) -> None:
    decoding.request((1.0, 1.0))
    frames.next()
    decoding.flush()
    assert shown == []
    decoding.set_decoder(Echo())
    decoding.request((2.0, 2.0))
    frames.next()
    assert [picture.z for picture in shown] == [(2.0, 2.0)]


def test_a_new_decoder_serves_what_was_asked_before(
    decoding: Decoding, shown: list[Decoded], frames: "Frames"
) -> None:
    old = Echo()
    decoding.set_decoder(old)
    decoding.request((1.0, 2.0))
    decoding.set_decoder(Echo(-1.0))
    frames.next()
    assert old.asked == []
    assert shown[0].image.tolist() == [[-1.0, -2.0]]


def test_flush_does_not_wait_for_the_turn(
    decoding: Decoding, shown: list[Decoded], frames: "Frames"
) -> None:
    decoding.set_decoder(Echo())
    decoding.request((1.0, 1.0))
    decoding.flush()
    frames.next()
    assert len(shown) == 1


def test_a_request_made_while_showing_gets_a_turn_of_its_own(
    decoding: Decoding, shown: list[Decoded], frames: "Frames"
) -> None:
    decoding.set_decoder(Echo())

    def ask_again(picture: Decoded) -> None:
        if picture.z == (1.0, 1.0):
            decoding.request((2.0, 2.0))

    decoding.decoded.connect(ask_again)
    decoding.request((1.0, 1.0))
    frames.next()
    assert len(shown) == 1
    frames.next()
    assert [picture.z for picture in shown] == [(1.0, 1.0), (2.0, 2.0)]


def test_after_a_decoder_failed_the_next_place_is_decoded(
    decoding: Decoding, shown: list[Decoded], frames: "Frames"
) -> None:
    decoding.set_decoder(Broken())
    decoding.request((1.0, 1.0))
    with pytest.raises(RuntimeError, match="cannot decode"):
        frames.next()
    decoding.set_decoder(Echo())
    decoding.request((2.0, 2.0))
    frames.next()
    assert [picture.z for picture in shown] == [(2.0, 2.0)]


def test_a_trained_model_is_a_decoder(
    decoding: Decoding, shown: list[Decoded], frames: "Frames", trained: Snapshot
) -> None:
    decoding.set_decoder(trained.model)
    decoding.request((0.25, -0.75))
    frames.next()
    expected = trained.model.decode(np.array([[0.25, -0.75]]))[0]
    np.testing.assert_array_equal(shown[0].image, expected)
