import dataclasses
import logging
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer.session.files import settings as settings_module
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.map.layers import LAYERS, LayerSpec, LayerState

DEFAULTS = Settings()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.toml"


def put(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_a_missing_file_gives_defaults_without_a_word(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert Settings.read(path) == DEFAULTS
    assert not path.parent.exists()
    assert warnings_in(caplog) == []


def _states(spec: LayerSpec) -> st.SearchStrategy[LayerState]:
    chosen = {
        choice.id: st.sampled_from([value for value, _ in choice.options])
        for choice in spec.choices
    }
    return st.builds(
        LayerState,
        id=st.just(spec.id),
        on=st.booleans(),
        opacity=st.floats(0, 1),
        chosen=st.fixed_dictionaries(chosen),
    )


_layers = (
    st.permutations(LAYERS)
    .flatmap(lambda specs: st.tuples(*map(_states, specs)))
    .flatmap(lambda states: st.integers(0, len(LAYERS)).map(lambda n: states[:n]))
)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(
    settings=st.builds(
        Settings,
        scheme=st.sampled_from(["system", "light", "dark"]),
        split=st.sampled_from(["train", "test", "both"]),
        kind=st.sampled_from(["mean", "sample", "exact"]),
        align=st.booleans(),
        ease=st.booleans(),
        layers=_layers,
        device=st.sampled_from(["auto", "cpu", "cuda", "mps"]),
        threads=st.integers(0, 1024),
        recent=st.lists(_texts, max_size=9).map(tuple),
        folder=_texts,
        geometry=_texts,
        layout=_texts,
    )
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings
) -> None:
    path = tmp_path_factory.mktemp("config") / "settings.toml"
    settings.write(path)
    assert Settings.read(path) == settings


def test_the_file_is_toml_with_a_version(path: Path) -> None:
    Settings(scheme="dark", recent=("/a/b.safetensors",)).write(path)
    values = tomllib.loads(path.read_text())
    assert values["version"] == 1
    assert values["scheme"] == "dark"
    assert values["recent"] == ["/a/b.safetensors"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_no_unicode_comes_back(path: Path, tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.safetensors")
    settings = DEFAULTS.with_recent(Path(name))
    settings.write(path)
    assert Settings.read(path).recent == (name,)


def test_text_that_no_file_can_hold_is_not_saved_and_not_fatal(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Settings(scheme="dark").write(path)
    Settings(folder="\ud800").write(path)
    assert len(warnings_in(caplog)) == 1
    assert Settings.read(path).scheme == "dark"


# Other files


@given(st.binary(max_size=200))
def test_any_bytes_give_settings(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("config") / "settings.toml"
    path.write_bytes(content)
    assert Settings.read(path) == DEFAULTS


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from([field.name for field in dataclasses.fields(Settings)]), _values
    )
)
def test_entries_of_any_type_give_settings_that_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("config") / "settings.toml"
    entries = [f"{key} = {_toml(value)}" for key, value in values.items() if value is not None]
    path.write_text("\n".join(["version = 1", *entries]), encoding="utf-8")
    settings = Settings.read(path)
    assert settings.scheme in ("system", "light", "dark")
    assert 0 <= settings.threads <= 1024
    assert all(isinstance(name, str) for name in settings.recent)
    settings.write(path)
    assert Settings.read(path) == settings


def _toml(value: Any) -> str:
    plain = _without_none(value)
    return tomli_w.dumps({"x": [plain]}).removeprefix("x = ").strip().replace("\n", " ")


def _without_none(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_none(entry) for entry in value if entry is not None]
    if isinstance(value, dict):
        return {key: _without_none(entry) for key, entry in value.items() if entry is not None}
    return value


# Writing


def test_a_refusing_disk_costs_a_warning(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.write_text("a file where the folder should be")
    Settings(scheme="dark").write(path)
    (warning,) = warnings_in(caplog)
    assert str(path) in warning


def test_a_full_disk_leaves_the_old_file(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Settings(scheme="dark").write(path)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(settings_module, "atomic_write", refuse)
    Settings(scheme="light").write(path)
    assert "No space left" in warnings_in(caplog)[0]
    assert Settings.read(path).scheme == "dark"


# The recent list


def test_the_newest_is_first_and_appears_once() -> None:
    settings = DEFAULTS.with_recent(Path("/a")).with_recent(Path("/b")).with_recent(Path("/a"))
    assert settings.recent == ("/a", "/b")
    assert DEFAULTS.recent == ()


def test_nine_are_kept(path: Path) -> None:
    settings = DEFAULTS
    for number in range(20):
        settings = settings.with_recent(Path(f"/{number}"))
    assert settings.recent == tuple(f"/{number}" for number in range(19, 10, -1))
    names = ", ".join(f"'{number}'" for number in range(50))
    put(path, f"version = 1\nrecent = [{names}]\n")
    assert Settings.read(path).recent == tuple(str(number) for number in range(9))
