from pathlib import Path

import numpy as np
import pytest

from vae_explorer.types import UInt8


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def images(rng: np.random.Generator) -> UInt8:
    return rng.integers(0, 256, (14, 6, 8), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    return path
