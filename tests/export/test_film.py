import io
import sys
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageSequence

from vae_explorer.errors import ExportError
from vae_explorer.export.film import FILM_KINDS, encode_film
from vae_explorer.types import UInt8

RATE = 30
PICTURES = ("gif", "apng", "webp")
VIDEOS = {"mp4": "h264", "webm": "vp9"}


def _frames(count: int = 6) -> Iterator[UInt8]:
    """A square that wanders over a ramp of colours; the fourth frame is the third again."""
    ramp = np.full((61, 81, 3), 255, np.uint8)
    ramp[..., 0] = 2 * np.arange(81)
    for number in range(count):
        frame = ramp.copy()
        at = number - (number == 3)
        frame[5 + at : 25 + at, 3 * at : 3 * at + 20, 1:] = 40 * at
        yield frame


@pytest.mark.parametrize("kind", PICTURES)
def test_pillow_finds_every_frame_and_its_time(kind: str) -> None:
    film = Image.open(io.BytesIO(encode_film(_frames(), kind, RATE, hold=0.5)))
    found = [
        (np.asarray(frame.convert("RGB")), frame.info["duration"])
        for frame in ImageSequence.Iterator(film)
    ]
    assert len(found) == 6
    for (pixels, _), wanted in zip(found, _frames(), strict=True):
        np.testing.assert_array_equal(pixels, wanted)
    times = [round(time) for _, time in found]
    assert times == ([30, 40, 30, 30, 40, 530] if kind == "gif" else [33, 34, 33, 33, 34, 533])


@pytest.mark.parametrize(("kind", "once"), [("gif", None), ("apng", 1), ("webp", 1)])
def test_a_film_begins_again_or_does_not(kind: str, once: int | None) -> None:
    loops = [
        Image.open(io.BytesIO(encode_film(_frames(), kind, RATE, loop=loop))).info.get("loop")
        for loop in (True, False)
    ]
    assert loops == [0, once]


def test_a_gif_of_many_colours_is_close_to_them() -> None:
    rng = np.random.default_rng(0)
    smooth = np.add.outer(np.arange(60), np.arange(80))[..., None] + [0, 40, 80]
    frames = [(smooth + rng.integers(0, 3, smooth.shape)).astype(np.uint8) for _ in range(2)]
    film = Image.open(io.BytesIO(encode_film(frames, "gif", 10)))
    for frame, wanted in zip(ImageSequence.Iterator(film), frames, strict=True):
        apart = np.abs(np.asarray(frame.convert("RGB")).astype(int) - wanted)
        assert apart.mean() < 2
        assert apart.max() < 16


@pytest.mark.parametrize("kind", VIDEOS)
def test_ffmpeg_finds_every_frame_of_a_video(kind: str) -> None:
    import av

    content = encode_film(_frames(), kind, RATE, hold=0.5)
    with av.open(io.BytesIO(content)) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.name == VIDEOS[kind]
        assert stream.average_rate == RATE
        found = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
    assert len(found) == 6 + 15
    assert found[0].shape == (62, 82, 3)  # even, as the format wants it
    for pixels, wanted in zip(found, _frames(), strict=False):
        assert np.abs(pixels[:61, :81].astype(int) - wanted).mean() < 4


@pytest.mark.parametrize("kind", FILM_KINDS)
def test_the_same_frames_give_the_same_bytes(kind: str) -> None:
    assert encode_film(_frames(), kind, RATE) == encode_film(_frames(), kind, RATE)


@pytest.mark.parametrize("kind", FILM_KINDS)
def test_no_more_than_one_frame_is_kept(kind: str) -> None:
    alive: list[weakref.ref[UInt8]] = []
    most = 0

    def watched() -> Iterator[UInt8]:
        nonlocal most
        for number in range(8):
            most = max(most, sum(one() is not None for one in alive))
            frame = np.full((20, 20, 3), 10 * number, np.uint8)
            alive.append(weakref.ref(frame))
            yield frame
            del frame

    encode_film(watched(), kind, 10)
    assert most == 1


def test_what_ends_the_frames_ends_the_film() -> None:
    def until_cancelled() -> Iterator[UInt8]:
        yield from _frames(3)
        raise KeyboardInterrupt

    for kind in FILM_KINDS:
        with pytest.raises(KeyboardInterrupt):
            encode_film(until_cancelled(), kind, RATE)


def test_without_pyav_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ExportError, match=r"PyAV.*pip install 'vae-explorer\[video\]'"):
        encode_film(_frames(), "mp4", RATE)


def test_a_film_of_nothing_or_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ExportError, match="no frame"):
        encode_film([], "gif", RATE)
    with pytest.raises(ExportError, match="“avi”; choose one of gif, apng"):
        encode_film(_frames(), "avi", RATE)
