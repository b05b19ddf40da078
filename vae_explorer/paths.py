"""Where bundled files, runs and settings live. Nothing is created at import."""

import re
from functools import cache
from pathlib import Path

import platformdirs

_ENTRY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_PACKAGE = Path(__file__).resolve().parent


@cache
def _bundled(package: Path, name: str) -> Path:
    """A folder that ships with the package: inside it in a wheel, beside it in a checkout."""
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def resources() -> Path:
    """Bundled data, icons and texts."""
    return _bundled(_PACKAGE, "resources")


def checkpoints() -> Path:
    """Bundled trained models and the recipes that made them."""
    return _bundled(_PACKAGE, "checkpoints")


def bundled_checkpoint() -> Path:
    """The model the explorer opens on."""
    return checkpoints() / "mnist-elbo.safetensors"


def bundled_models() -> dict[str, Path]:
    """The models that ship with the program, by their names."""
    return {path.stem: path for path in sorted(checkpoints().glob("*.safetensors"))}


def is_entry_point(name: str) -> bool:
    """Whether a text is ``module:make_model``, and no file of that name is there."""
    return bool(_ENTRY.fullmatch(name)) and not Path(name).exists()


def model_path(model: str | Path) -> Path:
    """Where a model is: a file or a run's folder by its path, or a bundled one by its name."""
    path = Path(model)
    of_run = path / "model.safetensors"
    if of_run.is_file():
        return of_run
    return path if path.is_file() else bundled_models().get(str(model), path)


def runs() -> Path:
    """Where training runs are kept, one folder each."""
    return Path(platformdirs.user_data_dir("vae-explorer", appauthor=False)) / "runs"


def settings_file() -> Path:
    """The settings of the window, a TOML file."""
    return Path(platformdirs.user_config_dir("vae-explorer", appauthor=False)) / "settings.toml"


def estimates_file() -> Path:
    """What recipes were measured to cost here, which may be deleted at any time."""
    return Path(platformdirs.user_cache_dir("vae-explorer", appauthor=False)) / "estimates.json"


def data_cache() -> Path:
    """Downloaded data sets and the pixels of large ones, which may be deleted at any time."""
    return Path(platformdirs.user_cache_dir("vae-explorer", appauthor=False)) / "data"


def codes_cache() -> Path:
    """Where models put images, which may be deleted at any time."""
    return estimates_file().parent / "codes"


def log_file() -> Path:
    """What the window's program logs; the one before it has ``.1`` after its name."""
    return settings_file().parent / "vae-explorer.log"


def crash_file() -> Path:
    """Where the program was if Python or a library crashed."""
    return settings_file().parent / "crash.log"


def presets() -> Path:
    """Where a person's own recipes are kept, TOML files."""
    return settings_file().parent / "presets"
