"""Data sets known by name: one that comes along, others from the network by checksum."""

import hashlib
import http.client
import re
import shutil
import string
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vae_explorer import paths
from vae_explorer.data.readers.found import Check, Found, Part
from vae_explorer.data.readers.idx_pairs import find_idx
from vae_explorer.data.reading import NONE, Reading
from vae_explorer.errors import DataError

_TIMEOUT = 20  # seconds without a byte
_CHUNK = 1 << 18
_DIGITS, _UPPER, _LOWER = (
    tuple(string.digits),
    tuple(string.ascii_uppercase),
    string.ascii_lowercase,
)
_EMNIST: Mapping[str, tuple[str, ...]] = {
    "letters": ("none", *_LOWER),  # which count from 1
    "balanced": (*_DIGITS, *_UPPER, *"abdefghnqrt"),
    "digits": _DIGITS,
    "byclass": (*_DIGITS, *_UPPER, *_LOWER),
    "bymerge": (*_DIGITS, *_UPPER, *"abdefghnqrt"),
    "mnist": _DIGITS,
}
_FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
)  # fmt: skip
_IDX = tuple(
    f"{split}-{what}-ubyte.gz"
    for split in ("train", "t10k")
    for what in ("images-idx3", "labels-idx1")
)


@dataclass(frozen=True)
class _Remote:
    """Files of one address, and their MD5 as their authors published it."""

    title: str
    address: str
    files: Mapping[str, str]
    classes: tuple[str, ...] = ()


_REMOTE = {
    "fashion-mnist": _Remote(
        "Fashion-MNIST",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        dict(zip(_IDX, (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310",
        ), strict=True)),
        _FASHION,
    ),
    "kmnist": _Remote(
        "KMNIST",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        dict(zip(_IDX, (
            "bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344",
            "5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134",
        ), strict=True)),
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
}  # fmt: skip
_EMNIST_ZIP = _Remote(
    "EMNIST",
    "https://biometrics.nist.gov/cs_links/EMNIST/",
    {"gzip.zip": "58c8d27c78d21e728a6bc7b3cc06412e"},
)

NAMES = ("mnist", "digits", *_REMOTE, *(f"emnist-{part}" for part in _EMNIST))


def known(path: str | Path) -> str:
    """The ready-made data set that a text names, "" if none."""
    name = re.sub(r"[ _]", "-", str(path).lower())
    name = {
        "fashionmnist": "fashion-mnist",
        "fashion": "fashion-mnist",
        "emnist": "emnist-letters",
    }.get(name, name)
    return name if name in NAMES else ""


def is_mnist(path: str | Path) -> bool:
    """Whether a text names the set that the program opens on."""
    return known(path) == "mnist" and not Path(path).exists()


def find(name: str, reading: Reading, check: Check) -> Found:
    """A ready-made data set; what is not on this machine yet is fetched.

    Raises:
        DataError: there is no network, or what it gives is not what was published.
    """
    if name == "digits":
        return _digits(reading)
    if name == "mnist":
        return replace(
            find_idx(paths.resources() / "mnist" / _IDX[0], reading, check), name="MNIST"
        )
    if name in _REMOTE:
        remote = _REMOTE[name]
        folder = paths.data_cache() / name
        for file, md5 in remote.files.items():
            fetch(remote.address + file, folder / file, md5, remote.title, check)
        found = find_idx(folder / _IDX[0], reading, check)
        return replace(found, name=remote.title, classes=remote.classes)
    return _emnist(name.removeprefix("emnist-"), reading, check)


def _digits(reading: Reading) -> Found:
    with np.load(paths.resources() / "digits" / "digits.npz", allow_pickle=False) as file:
        images, labels = file["images"], file["labels"]
    labels = None if reading.labels == NONE else labels
    keys = ("labels", NONE) if labels is not None else (NONE, "labels")
    return Found("ready-made", "digits", (Part(images, labels),), label_keys=keys)


def _emnist(part: str, reading: Reading, check: Check) -> Found:
    folder = paths.data_cache() / "emnist"
    files = [
        f"emnist-{part}-{split}-{what}-ubyte.gz"
        for split in ("train", "test")
        for what in ("images-idx3", "labels-idx1")
    ]
    if not all((folder / file).exists() for file in files):
        archive = folder / "gzip.zip"
        fetch(
            _EMNIST_ZIP.address + "gzip.zip",
            archive,
            _EMNIST_ZIP.files["gzip.zip"],
            "EMNIST",
            check,
        )
        with zipfile.ZipFile(archive) as zipped:
            for file in files:
                check()
                part_file = folder / f"{file}.part"
                with zipped.open(f"gzip/{file}") as source, part_file.open("wb") as target:
                    shutil.copyfileobj(source, target)
                part_file.replace(folder / file)
    found = find_idx(folder / files[0], reading, check)
    parts = tuple(
        replace(one, images=one.images.swapaxes(1, 2))
        if isinstance(one.images, np.ndarray)
        else one
        for one in found.parts
    )
    note = "Turned upright; EMNIST's files exchange rows and columns."
    return replace(
        found,
        name=f"EMNIST {part}",
        parts=parts,
        classes=_EMNIST[part],
        notes=(note,),
        transposed=False,
    )


def fetch(address: str, target: Path, md5: str, title: str, check: Check) -> None:
    """Have a file on this machine; goes on where an earlier attempt was cut.

    Raises:
        DataError: the network does not give it, or gives another one.
    """
    if target.exists():
        return
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _download(address, part, check)
        digest = hashlib.md5(usedforsecurity=False)
        with part.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        if digest.hexdigest() != md5:
            part.unlink()
            raise DataError(
                f"{address} is not the file that was published (MD5 {digest.hexdigest()}, expected "
                f"{md5}); try again later."
            )
        part.replace(target)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        why = getattr(error, "reason", "") or error
        raise DataError(
            f"{title} is not on this machine yet, and {address} cannot be fetched ({why}). "
            f"Connect to the network and try again, or put the file into {target.parent}."
        ) from error


def _download(address: str, part: Path, check: Check) -> None:
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is there
        raise
    with (
        answer,
        part.open("ab" if answer.status == http.HTTPStatus.PARTIAL_CONTENT else "wb") as file,
    ):
        while chunk := answer.read(_CHUNK):
            check()
            file.write(chunk)
