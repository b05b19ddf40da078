"""The layers of ARCHITECTURE.md hold, and the tool that says so would notice if they did not."""

import re
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


QT, DOWN = "Below gui there is no Qt", "Imports go down the layers"
GUI, SESSION = "gui knows session", "session and cli handle"
PLANTED = [
    ("model/vae.py", "import PySide6", QT, "model.vae -> PySide6"),
    ("files.py", "from pyqtgraph import mkPen", QT, "files -> pyqtgraph"),
    ("data/idx.py", "import vae_explorer.model.vae", DOWN, "data.idx -> vae_explorer.model.vae"),
    ("paths.py", "import vae_explorer.session", DOWN, "paths -> vae_explorer.session"),
    ("utils.py", "", DOWN, "utils"),
    ("gui/theme.py", "import torch", GUI, "gui.theme -> torch"),
    ("gui/theme.py", "from vae_explorer.model import vae", GUI, "gui.theme -> vae_explorer.model"),
    ("session/jobs.py", "import torch", SESSION, "session.jobs -> torch"),
    ("session/jobs.py", "from PySide6 import QtCore", SESSION, "session.jobs -> PySide6"),
]
"""Where, what, and by which contract it is said in which words."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of the package with all that is ``PLANTED``."""
    root = tmp_path_factory.mktemp("planted")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "vae_explorer", root / "vae_explorer", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", root)
    for module, statement, *_ in PLANTED:
        with (root / "vae_explorer" / module).open("a") as file:
            file.write(f"\n{statement}\n")
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("contract", "said"), [planted[2:] for planted in PLANTED])
def test_the_linter_catches_a_planted_import(report: str, contract: str, said: str) -> None:
    summary, broken = report.split("Broken contracts")
    assert re.search(f"^{contract}.* BROKEN", summary, re.MULTILINE)
    heads_and_texts = re.split(r"\n(.+)\n-+\n", broken)
    (text,) = (
        text
        for head, text in zip(heads_and_texts[1::2], heads_and_texts[2::2], strict=True)
        if head.startswith(contract)
    )
    assert re.search(f"^-? +vae_explorer\\.{said}\\b", text, re.MULTILINE), text
