from pathlib import Path

import pytest

from vae_explorer import paths


def test_bundled_folders_are_found() -> None:
    assert (paths.resources() / "mnist" / "README.md").is_file()
    assert paths.checkpoints().name == "checkpoints"
    assert paths.checkpoints().parent == paths.resources().parent


def test_an_installed_package_carries_its_folders_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "vae_explorer"
    (package / "resources").mkdir(parents=True)
    monkeypatch.setattr(paths, "_PACKAGE", package)
    assert paths.resources() == package / "resources"
    assert paths.checkpoints() == package.parent / "checkpoints"  # a checkout has it there


def test_own_folders_are_the_persons_and_are_not_created() -> None:
    home = Path.home()
    for place in (paths.runs(), paths.settings_file(), paths.presets(), paths.estimates_file()):
        assert home in place.parents
        assert "vae-explorer" in place.parts
        assert not place.exists()
        assert not place.parent.exists()
