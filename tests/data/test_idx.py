import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer.data import idx
from vae_explorer.data.idx import read_idx
from vae_explorer.errors import DataError


def encode(shape: tuple[int, ...], payload: bytes, kind: int = 0x08) -> bytes:
    """An IDX file written from its description, not by the program."""
    return struct.pack(f">HBB{len(shape)}I", 0, kind, len(shape), *shape) + payload


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images.idx"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
@pytest.mark.parametrize("shape", [(6,), (2, 3), (3, 2, 4), (2, 1, 3, 2), (0, 5)])
def test_reads_every_number_of_dimensions(path: Path, shape: tuple[int, ...], pack: type) -> None:
    expected = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    path.write_bytes(pack(encode(shape, expected.tobytes())))
    found = read_idx(path)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "begins with nothing"),
        (b"\0\0\x08", "begins with 00 00 08, expected"),
        (b"\x89PNG\r\n", "not an IDX file: it begins with 89 50 4e 47"),
        (encode((2,), b"ab", kind=0x0D), "32-bit floats (type code 0x0d)"),
        (encode((2,), b"ab", kind=0x42), "an unknown type (type code 0x42)"),
        (b"\0\0\x08\0", "0 dimensions, expected 1 to 4"),
        (encode((1, 1, 1, 1, 1), b"a"), "5 dimensions, expected 1 to 4"),
        (encode((2, 3), b"")[:9], "ends after 9 bytes, expected 12"),
        (encode((2, 3), b"abcde"), "2 × 3 = 6 bytes, but 5 follow"),
        (encode((2, 3), b"abcdefg"), "2 × 3 = 6 bytes, but more follow"),
        # The product overflows 64 bits: in NumPy's integers it would be 0.
        (encode((2**31, 2**31, 4), b""), "more than the 4,294,967,296"),
        # Announced sizes must not be allocated.
        (encode((2**16, 2**16), b"abc"), "= 4,294,967,296 bytes, but 3 follow"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
def test_refuses_a_header_that_lies(path: Path, content: bytes, says: str, pack: type) -> None:
    path.write_bytes(pack(content))
    with pytest.raises(DataError) as caught:
        read_idx(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_reads_no_more_of_a_gzip_bomb_than_announced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(gzip.compress(encode((3,), bytes(50_000_000))))
    lengths = []
    read_at_most = idx._read_at_most

    def spy(stream: gzip.GzipFile, limit: int) -> bytearray:
        content = read_at_most(stream, limit)
        lengths.append(len(content))
        return content

    monkeypatch.setattr(idx, "_read_at_most", spy)
    with pytest.raises(DataError, match="3 = 3 bytes, but more follow"):
        read_idx(path)
    assert max(lengths) == 4


def test_names_damage_of_the_gzip_data(path: Path) -> None:
    whole = gzip.compress(encode((1_000,), os.urandom(1_000)))
    path.write_bytes(whole[:-100])
    with pytest.raises(DataError, match="cut short"):
        read_idx(path)
    path.write_bytes(whole[:-8] + bytes(4) + whole[-4:])  # another checksum
    with pytest.raises(DataError, match="damaged gzip data"):
        read_idx(path)
    path.write_bytes(whole[:12] + b"\xff" * 40 + whole[52:])
    with pytest.raises(DataError, match="damaged gzip data"):
        read_idx(path)


def test_names_what_is_no_readable_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere does not exist"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(DataError, match="not a regular file"):
        read_idx(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path / ("x" * 300))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_does_not_wait_for_a_pipe(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(DataError, match="not a regular file"):
        read_idx(path)


@given(content=st.binary(max_size=64) | st.binary(max_size=64).map(b"\0\0\x08".__add__))
def test_random_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.idx"
    path.write_bytes(content)
    try:
        found = read_idx(path)
    except DataError:
        return
    assert encode(found.shape, found.tobytes()) == content
