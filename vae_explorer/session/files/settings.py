"""What the window remembers between starts. Never fatal: bad values are dropped."""

import dataclasses
import logging
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import tomli_w

from vae_explorer.files import atomic_write
from vae_explorer.session.map.layers import LAYERS, LayerState

_VERSION = 1
_RECENT = 9

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """``scheme`` is "system", "light" or "dark"; ``layout`` and ``geometry`` are Qt's, in base64.

    ``threads`` of 0 means all cores but one; ``device`` is "auto", "cpu", "cuda" or "mps".
    ``split`` is the part of the data on the map, "train", "test" or "both", ``kind`` what a point
    of it is, "mean", "sample" or "exact"; ``align`` turns planes to compare them, ``ease`` lets
    points glide. ``layers`` are those of the map, the topmost first.
    """

    scheme: str = "system"
    split: str = "train"
    kind: str = "mean"
    align: bool = False
    ease: bool = True
    layers: tuple[LayerState, ...] = ()
    device: str = "auto"
    threads: int = 0
    recent: tuple[str, ...] = ()
    folder: str = ""
    geometry: str = ""
    layout: str = ""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a settings file; a missing one gives the defaults, bad entries are left out."""
        try:
            # Names of files need not be UTF-8; surrogates carry the odd bytes through.
            values = tomllib.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
            if values.pop("version", None) != _VERSION:
                raise ValueError("unknown settings version")
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, RecursionError) as error:
            logger.warning("Settings in %s are not readable (%s); using defaults.", path, error)
            return cls()
        good = {key: value for key, value in values.items() if _valid(key, value)}
        if len(good) < len(values):
            dropped = ", ".join(sorted(values.keys() - good.keys()))
            logger.warning("Settings in %s: dropped bad entries %s.", path, dropped)
        good["recent"] = tuple(good.get("recent", ()))[:_RECENT]
        good["layers"] = tuple(LayerState(**layer) for layer in good.get("layers", ()))
        return cls(**good)

    def write(self, path: Path) -> None:
        """Save; a disk that refuses costs a warning and nothing else."""
        values = {"version": _VERSION} | dataclasses.asdict(self)
        values |= {"recent": list(self.recent), "layers": list(values["layers"])}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, tomli_w.dumps(values).encode(errors="surrogateescape"))
        except (OSError, UnicodeEncodeError) as error:
            logger.warning("Settings were not saved to %s: %s", path, error)

    def with_recent(self, path: Path) -> Self:
        """Put ``path`` first in the recent list."""
        name = str(path)
        others = [other for other in self.recent if other != name]
        return dataclasses.replace(self, recent=(name, *others)[:_RECENT])


_CHOICES = {
    "scheme": ("system", "light", "dark"),
    "split": ("train", "test", "both"),
    "kind": ("mean", "sample", "exact"),
    "device": ("auto", "cpu", "cuda", "mps"),
}


def _valid(key: str, value: Any) -> bool:
    if key in _CHOICES:
        return value in _CHOICES[key]
    if key == "threads":
        return type(value) is int and 0 <= value <= 1024
    if key in ("align", "ease"):
        return isinstance(value, bool)
    if key == "layers":
        if not (isinstance(value, list) and all(_valid_layer(entry) for entry in value)):
            return False
        return len({entry["id"] for entry in value}) == len(value)
    if key == "recent":
        return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    return key in ("folder", "geometry", "layout") and isinstance(value, str)


def _valid_layer(entry: Any) -> bool:
    """Whether an entry is a layer of ours with values that it knows."""
    match entry:
        case {"id": str(name), "on": bool(), "opacity": float(opacity), "chosen": dict(chosen)}:
            spec = next((spec for spec in LAYERS if spec.id == name), None)
            if spec is None or len(entry) > 4:
                return False
            known = {choice.id: [value for value, _ in choice.options] for choice in spec.choices}
            return (
                0 <= opacity <= 1
                and chosen.keys() == known.keys()
                and all(value in known[key] for key, value in chosen.items())
            )
    return False
