"""What the window remembers between starts. Never fatal: bad values are dropped."""

import dataclasses
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Self

import tomli_w
from msgspec import Meta

from vae_explorer import schema
from vae_explorer.data.reading import Source
from vae_explorer.data.table_layout import TableLayout
from vae_explorer.errors import UserError
from vae_explorer.files import atomic_write, read_text
from vae_explorer.model.onnx_pair import PairChoices
from vae_explorer.session.lessons.progress import Progress
from vae_explorer.session.map.layers import LayerState, check_once
from vae_explorer.types import Split

_VERSION = 1
_RECENT = 9
MOST_DATA = 20
"""Data sets of which is remembered where they were."""
MOST_TABLES = 20
"""Tables whose columns are remembered."""

KIND = schema.one_of("mean", "sample", "exact")
SCHEME = schema.one_of("system", "light", "dark")
DEVICE = Meta(
    pattern=r"^(?:auto|cpu|mps|cuda(?::\d{1,3})?)\Z", description="auto, cpu, mps, cuda or cuda:N"
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownPair:
    """How an ONNX encoder was opened: with which decoder, and as what."""

    decoder: Path
    choices: PairChoices


@dataclass(frozen=True)
class Settings:
    """``scheme`` is "system", "light" or "dark"; ``layout`` and ``geometry`` are Qt's, in base64.

    ``threads`` of 0 means all cores but one, for a run both of two; ``device`` is "auto", "cpu",
    "mps", "cuda" or one such as "cuda:1". ``split`` is of the data on the map, ``kind`` what a
    point of it is, "mean", "sample" or "exact"; ``align`` turns planes to compare them, ``ease``
    lets points glide.
    ``pairs`` are the ONNX networks among ``recent``, which names their encoders.
    ``data`` are where data sets were found, by their fingerprints, the newest first.
    ``layers`` are those of the map, the topmost first; ``tables`` how tables were read, the last
    first; ``keys`` those chosen for commands; ``preset`` is the name of the recipe chosen last,
    ``course`` how far one is in the lessons, ``toured`` whether the first start's hints were shown;
    ``around_map`` are the margins of the window's middle: left, top, right and bottom, in pixels.
    """

    scheme: Annotated[str, SCHEME] = "system"
    split: Split = "train"
    kind: Annotated[str, KIND] = "mean"
    align: bool = False
    ease: bool = True
    layers: tuple[LayerState, ...] = ()
    device: Annotated[str, DEVICE] = "auto"
    threads: Annotated[int, Meta(ge=0, le=1024)] = 0
    recent: tuple[str, ...] = ()
    pairs: Mapping[str, KnownPair] = field(default_factory=dict)
    data: Mapping[str, Source] = field(default_factory=dict)
    tables: tuple[TableLayout, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    preset: str = ""
    folder: str = ""
    course: Progress = field(default_factory=Progress)
    toured: bool = False
    around_map: Annotated[tuple[int, ...], Meta(min_length=4, max_length=4)] = (0, 0, 0, 0)
    geometry: str = ""
    layout: str = ""

    def __post_init__(self) -> None:
        check_once(self.layers)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a settings file; a missing one gives the defaults, bad entries are left out.

        Of a newer version what this one knows is taken.
        """
        try:
            values = _values(path)
        except (OSError, UserError) as error:
            logger.warning("Settings in %s are not readable (%s); using defaults.", path, error)
            return cls()
        if values.pop("version", _VERSION) != _VERSION:
            values = {name: values[name] for name in values.keys() & _names()}
        settings, problems = schema.build_leniently(cls, values, str(path))
        if problems:
            logger.warning("Settings in %s: dropped bad entries. %s", path, " ".join(problems))
        return dataclasses.replace(settings, recent=settings.recent[:_RECENT])

    def write(self, path: Path, since: "Settings | None" = None) -> None:
        """Save; a disk that refuses costs a warning and nothing else.

        Only what is not as it was ``since`` is changed in the file, for the rest of it may be of
        another window or of a newer version. A file that is no settings file is kept beside.
        """
        now, then = schema.storable(self), schema.storable(since) if since else {}
        changed = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in now.items()
            if name not in then or value != then[name]
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                values = _values(path)
            except UserError:
                if path.is_file():
                    path.replace(path.with_name(f"{path.name}.unreadable"))
                values = {}
            values = {"version": _VERSION} | values | changed
            atomic_write(path, tomli_w.dumps(values).encode(errors="surrogateescape"))
        except (OSError, UnicodeEncodeError) as error:
            logger.warning("Settings were not saved to %s: %s", path, error)

    def with_recent(self, path: Path) -> Self:
        """Put ``path`` first in the recent list."""
        name = os.path.abspath(path)
        others = [other for other in self.recent if other != name]
        return dataclasses.replace(self, recent=(name, *others)[:_RECENT])


def _names() -> set[str]:
    return {field.name for field in dataclasses.fields(Settings)}


def _values(path: Path) -> dict[str, object]:
    """What is in a settings file; nothing if there is none.

    Raises:
        UserError: it is none.
    """
    if not path.exists():
        return {}
    # Names of files need not be UTF-8; surrogates carry the odd bytes through.
    text = read_text(path, "a settings file", errors="surrogateescape")
    values = schema.parse_toml(text, str(path))
    version = values.get("version")
    if type(version) is not int or version < _VERSION:
        raise UserError(f"{path} has an unknown version.")
    return values
