"""Frames to the bytes of a film: GIF, APNG and WebP by Pillow, MP4 and WebM by PyAV.

Frames are taken one at a time. Of GIF, APNG and WebP each holds what has changed since the one
before it, and is transparent elsewhere. The same frames give the same bytes.
"""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, repeat
from typing import NamedTuple

import numpy as np
from PIL import Image

from vae_explorer.errors import ExportError
from vae_explorer.shell import install_line
from vae_explorer.types import UInt8

FILM_KINDS = ("gif", "apng", "webp", "mp4", "webm")
"""Extensions of the files that can be made."""

_VIDEO = {
    "mp4": ("libx264", {"crf": "18"}),
    "webm": ("libvpx-vp9", {"crf": "24", "b": "0", "cpu-used": "4"}),
}
"""The codec and its options."""
_BT709 = 1  # of H.273, as players take it for a picture whose colours are not said
_COLORS = 255  # of a frame of a GIF, beside one that is transparent


class _Change(NamedTuple):
    """Pixels (h, w, 4) from ``left``, ``top`` on, transparent where nothing changed."""

    left: int
    top: int
    pixels: UInt8
    milliseconds: int = 0


def encode_film(
    frames: Iterable[UInt8], kind: str, rate: int, *, loop: bool = True, hold: float = 0.0
) -> bytes:
    """A film of one frame or more; what ``frames`` raises leaves no more behind than an error.

    Args:
        frames: (h, w, 3) each, all of one size. None is written to after it was given.
        kind: one of ``FILM_KINDS``.
        rate: frames a second, 1 to 50.
        loop: begin again at the end; of a video that is for the player to decide.
        hold: seconds that the last frame stays beyond its time.

    Raises:
        ExportError: there is no frame, the kind is none of these, or PyAV is not installed.
    """
    if kind not in FILM_KINDS:
        known = ", ".join(FILM_KINDS)
        raise ExportError(f"A film cannot be written as “{kind}”; choose one of {known}.")
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        raise ExportError("There is nothing to film: no frame was made.")
    height, width, _ = first.shape
    every = chain(iter([first]), rest)  # an iterator, which lets go of what it has given
    del first
    if kind in _VIDEO:
        return _video(kind, width, height, every, rate, round(hold * rate))
    changes = _changes(every, rate, hold, 10 if kind == "gif" else 1)
    return {"gif": _gif, "apng": _apng, "webp": _webp}[kind](width, height, changes, loop)


def _changes(frames: Iterable[UInt8], rate: int, hold: float, unit: int) -> Iterator[_Change]:
    """What changes from frame to frame, and for how many whole ``unit``s of a ms each stays."""

    def since(number: int) -> int:
        return unit * round(1000 * number / rate / unit)

    before: UInt8 | None = None
    waiting: _Change | None = None
    number = 0
    for number, frame in enumerate(frames, 1):
        if waiting:
            yield waiting._replace(milliseconds=since(number - 1) - since(number - 2))
        waiting, before = _change(frame, before), frame
    if waiting:
        last = since(number) - since(number - 1) + unit * round(1000 * hold / unit)
        yield waiting._replace(milliseconds=last)


def _change(frame: UInt8, before: UInt8 | None) -> _Change:
    changed = np.ones(frame.shape[:2], bool) if before is None else (frame != before).any(2)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    if not len(rows):
        return _Change(0, 0, np.zeros((1, 1, 4), np.uint8))
    top, left = int(rows[0]) & ~1, int(columns[0]) & ~1  # WebP begins at even pixels
    box = slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1)
    shown = changed[box][..., None]
    return _Change(left, top, np.dstack([frame[box] * shown, np.uint8(255) * shown]))


def _gif(width: int, height: int, changes: Iterator[_Change], loop: bool) -> bytes:
    film = [b"GIF89a", struct.pack("<HHBBB", width, height, 0, 0, 0)]
    if loop:
        film.append(b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")
    for left, top, pixels, milliseconds in changes:
        shown = pixels[..., 3] > 0
        indices = np.full(shown.shape, _COLORS, np.uint8)
        indices[shown], table = _few_colors(pixels[shown][:, :3])
        film += [
            struct.pack("<3sBHBB", b"!\xf9\x04", 0b101, milliseconds // 10, _COLORS, 0),
            struct.pack("<cHHHHB", b",", left, top, *shown.shape[::-1], 0b10000111),
            table.ljust(3 * 256, b"\0"),
            _lzw(indices),
        ]
    return b"".join([*film, b";"])


def _few_colors(pixels: UInt8) -> tuple[UInt8, bytes]:
    """Pixels (n, 3) as indices (n,) of a table of colours.

    A colour counts by the root of how often it is there, or dots would be gray as text is.
    """
    if not len(pixels):
        return np.empty(0, np.uint8), b""
    packed = pixels @ np.array([1 << 16, 1 << 8, 1], np.int64)
    _, first, which, counts = np.unique(
        packed, return_index=True, return_inverse=True, return_counts=True
    )
    weights = np.ceil(np.sqrt(counts)).astype(np.intp)
    few = Image.fromarray(pixels[first].repeat(weights, 0)[None]).quantize(
        _COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )
    chosen = np.asarray(few)[0][np.cumsum(weights) - 1]
    return chosen[which], bytes(few.getpalette() or [])


def _lzw(indices: UInt8) -> bytes:
    """The data of a picture as a GIF has them: all of one as gray but its headers and its end."""
    file = io.BytesIO()
    Image.fromarray(indices).save(file, "GIF", optimize=False, interlace=0)
    content = file.getvalue()
    table = 3 * (2 << (content[10] & 7))
    return content[13 + table + 10 : -1]


def _apng(width: int, height: int, changes: Iterator[_Change], loop: bool) -> bytes:
    film = [_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)), b""]
    order = count = 0
    for count, (left, top, pixels, milliseconds) in enumerate(changes, 1):
        where = pixels.shape[1], pixels.shape[0], left, top
        time = struct.pack(">HHBB", milliseconds, 1000, 0, count > 1)  # over the one before
        film.append(_chunk(b"fcTL", struct.pack(">IIIII", order, *where) + time))
        order += 1
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG", optimize=True)
        data = b"".join(part for name, part in _chunks(file.getvalue()[8:]) if name == b"IDAT")
        if count == 1:
            film.append(_chunk(b"IDAT", data))
        else:
            film.append(_chunk(b"fdAT", struct.pack(">I", order) + data))
            order += 1
    film[1] = _chunk(b"acTL", struct.pack(">II", count, 0 if loop else 1))
    return b"".join([b"\x89PNG\r\n\x1a\n", *film, _chunk(b"IEND", b"")])


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name and the data of each chunk of a PNG."""
    at = 0
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        yield content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        at += size + 12


def _webp(width: int, height: int, changes: Iterator[_Change], loop: bool) -> bytes:
    film = [
        _riff(b"VP8X", struct.pack("<I", 0b10010) + _three(width - 1, height - 1)),
        _riff(b"ANIM", struct.pack("<IH", 0, 0 if loop else 1)),
    ]
    for left, top, pixels, milliseconds in changes:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "WEBP", lossless=True, method=4)
        picture = file.getvalue()
        start = picture.index(b"VP8L", 12)
        (size,) = struct.unpack_from("<I", picture, start + 4)
        sides = pixels.shape[1] - 1, pixels.shape[0] - 1
        where = _three(left // 2, top // 2, *sides, milliseconds) + b"\0"
        film.append(_riff(b"ANMF", where + _riff(b"VP8L", picture[start + 8 :][:size])))
    return _riff(b"RIFF", b"WEBP" + b"".join(film))


def _riff(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _three(*numbers: int) -> bytes:
    """Each in three bytes, the lowest first."""
    return b"".join(number.to_bytes(3, "little") for number in numbers)


def _video(
    kind: str, width: int, height: int, frames: Iterable[UInt8], rate: int, more: int
) -> bytes:
    try:
        import av
    except ImportError as error:
        raise ExportError(
            f"MP4 and WebM are written by PyAV, which is not installed: {install_line('video')}."
        ) from error
    codec, options = _VIDEO[kind]
    file = io.BytesIO()
    with av.open(file, "w", kind, container_options={"fflags": "+bitexact"}) as film:
        stream = film.add_stream(codec, Fraction(rate), options=options)
        context = stream.codec_context
        context.pix_fmt = "yuv420p"  # as every player knows it, with colours of 2 × 2 pixels
        context.width, context.height = width + width % 2, height + height % 2
        context.thread_count = 1  # or the bytes would tell how many processors there are
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        room = (0, height % 2), (0, width % 2), (0, 0)
        for pixels in _lasting(frames, more):
            picture = av.VideoFrame.from_ndarray(np.pad(pixels, room, "edge"), "rgb24")
            film.mux(stream.encode(picture.reformat(format="yuv420p", dst_colorspace=_BT709)))
        film.mux(stream.encode())
    return file.getvalue()


def _lasting(frames: Iterable[UInt8], more: int) -> Iterator[UInt8]:
    """The frames, and the last one so many times more."""
    for frame in frames:
        yield frame
    yield from repeat(frame, more)
