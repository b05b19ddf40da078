"""The layers of ARCHITECTURE.md hold, and the tool that says so would notice if they did not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def python(code: str) -> str:
    """Run ``code`` in an interpreter that has imported nothing; what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_loads_neither_torch_nor_qt() -> None:
    loaded = python("import sys, vae_explorer; print(*sys.modules)").split()
    assert "vae_explorer" in loaded
    assert not {"torch", "numpy", "PySide6", "pyqtgraph"} & set(loaded)


def test_everything_below_gui_imports_without_qt() -> None:
    imported = python(
        """
import importlib, pkgutil, sys
for name in ("PySide6", "shiboken6", "pyqtgraph"):
    sys.modules[name] = None  # importing it raises ImportError
import vae_explorer
for module in pkgutil.walk_packages(vae_explorer.__path__, "vae_explorer."):
    if module.name.split(".")[1] not in ("gui", "bench", "__main__"):
        print(importlib.import_module(module.name).__name__)
"""
    ).split()
    for layer in ("cli", "session", "export", "latent", "training", "model", "data", "files"):
        assert any(name.startswith(f"vae_explorer.{layer}") for name in imported), layer


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        ("model/vae.py", "import PySide6", "Below gui there is no Qt"),
        ("files.py", "from pyqtgraph import mkPen", "Below gui there is no Qt"),
        ("data/idx.py", "import vae_explorer.model.vae", "Imports go down the layers"),
        ("paths.py", "import vae_explorer.session", "Imports go down the layers"),
        ("utils.py", "", "Imports go down the layers"),
        ("gui/theme.py", "import torch", "gui knows session"),
        ("gui/theme.py", "from vae_explorer.model import vae", "gui knows session"),
        ("session/jobs.py", "import torch", "session and cli handle"),
        ("session/jobs.py", "from PySide6.QtCore import QObject", "session and cli handle"),
    ],
)
def test_the_linter_catches_a_planted_import(
    tmp_path: Path, module: str, statement: str, contract: str
) -> None:
    shutil.copytree(
        ROOT / "vae_explorer",
        tmp_path / "vae_explorer",
        ignore=lambda folder, names: [name for name in names if not is_source(folder, name)],
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "vae_explorer" / module).open("a") as file:
        file.write(f"\n{statement}\n")
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [line for line in done.stdout.splitlines() if "BROKEN" in line]
    assert any(line.startswith(contract) for line in broken), done.stdout


def is_source(folder: str, name: str) -> bool:
    return name.endswith(".py") or (Path(folder, name).is_dir() and name != "__pycache__")
