import dataclasses
import logging
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kinds_of_file import LAYER, NAN, toml
from tests.support.strategies import layer_states, plain_values, texts
from vae_explorer.data.table_layout import TableLayout
from vae_explorer.session.files import settings as settings_module
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.lessons.progress import Progress

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


@given(
    settings=st.builds(
        Settings,
        scheme=st.sampled_from(["system", "light", "dark"]),
        split=st.sampled_from(["train", "test", "both"]),
        kind=st.sampled_from(["mean", "sample", "exact"]),
        align=st.booleans(),
        ease=st.booleans(),
        layers=layer_states,
        device=st.sampled_from(["auto", "cpu", "cuda", "cuda:1", "mps"]),
        threads=st.integers(0, 1024),
        recent=st.lists(texts, max_size=9).map(tuple),
        tables=st.lists(
            st.builds(
                TableLayout,
                header=texts,
                separator=st.sampled_from(",;\t"),
                decimal=st.sampled_from(",."),
                index=texts,
                split=texts,
                images=st.sampled_from(["train", "test", "both"]),
                numbers=st.lists(texts).map(tuple),
                classes=st.lists(texts).map(tuple),
            ),
            max_size=3,
        ).map(tuple),
        keys=st.dictionaries(texts, texts, max_size=3),
        preset=texts,
        course=st.builds(
            Progress,
            lesson=texts,
            step=st.integers(0, 9),
            answers=st.dictionaries(
                texts,
                st.dictionaries(texts, st.lists(st.booleans()).map(tuple), max_size=2),
                max_size=2,
            ),
        ),
        folder=texts,
        geometry=texts,
        layout=texts,
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


NEWER = """version = 2
scheme = 'dark'
threads = 3
split = 7
halo = [1, 2]

[later]
glow = 0.5
"""
"""Of a version to come: what is known, what is known otherwise, and what is not."""


def test_of_a_newer_version_what_is_known_is_taken_and_the_rest_kept(path: Path) -> None:
    put(path, NEWER)
    settings = Settings.read(path)
    assert settings == Settings(scheme="dark", threads=3)
    dataclasses.replace(settings, scheme="light", folder="/a").write(path, since=settings)
    wanted = tomllib.loads(NEWER) | {"scheme": "light", "folder": "/a"}
    assert tomllib.loads(path.read_text()) == wanted


def test_only_what_a_window_changed_is_written(path: Path) -> None:
    Settings(scheme="dark", split="test").write(path)
    one = other = Settings.read(path)
    dataclasses.replace(one, scheme="light").write(path, since=one)
    dataclasses.replace(other, folder="/b", recent=("/c",), keys={"fit": "F"}).write(path, other)
    assert Settings.read(path) == Settings(
        scheme="light", split="test", folder="/b", recent=("/c",), keys={"fit": "F"}
    )


@pytest.mark.parametrize("content", ["version = 1\nscheme = 'dark", "scheme = 'dark'\n", "\0"])
def test_settings_that_cannot_be_read_are_kept_beside(path: Path, content: str) -> None:
    put(path, content)
    Settings(folder="/a").write(path, since=DEFAULTS)
    assert Settings.read(path) == Settings(folder="/a")
    assert path.with_name("settings.toml.unreadable").read_text() == content


def test_a_byte_order_mark_is_no_content(path: Path) -> None:
    put(path, "\ufeffversion = 1\r\nscheme = 'dark'\r\n")
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


# What is remembered must never stop anybody


SETTINGS = {"version": 1, "scheme": "dark", "threads": 3, "layers": [LAYER]}


@pytest.mark.parametrize("name", [".", "x" * 5_000])
def test_settings_that_are_no_file_are_the_defaults(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert Settings.read(tmp_path / name) == DEFAULTS
    (warning,) = warnings_in(caplog)
    assert str(tmp_path) in warning


@given(st.binary(max_size=200))
def test_any_bytes_give_settings(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("config") / "settings.toml"
    path.write_bytes(content)
    assert Settings.read(path) == DEFAULTS


@given(
    st.dictionaries(
        st.sampled_from([field.name for field in dataclasses.fields(Settings)]), plain_values
    )
)
def test_entries_of_any_type_give_settings_that_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("config") / "settings.toml"
    toml(path, {"version": 1} | values)
    settings = Settings.read(path)
    assert 0 <= settings.threads <= 1024
    settings.write(path)
    assert Settings.read(path) == settings


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\0" * 64, b"version = 1\nscheme = 'dark", b"version = 1\nfolder = '\xff\xfe'\n["),
        *(b"[" * 100_000, b"version = 1\nthreads = " + b"9" * 10_000, b"version = 1\nversion = 1"),
        *(b"version = '2'\nscheme = 'dark'\n", b"version = 0\n", b"scheme = 'dark'\n"),
    ],
    ids=lambda content: repr(content[:24]),
)
def test_settings_that_cannot_be_read_are_the_defaults(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    assert Settings.read(path) == DEFAULTS
    (warning,) = warnings_in(caplog)
    assert str(path) in warning


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("scheme", value) for value in ("pink", 1, ["dark"])),
        *(("split", "validation"), ("kind", "mode"), ("align", 1), ("ease", "yes")),
        *(("threads", value) for value in (-1, 1025, 2.0, True, "many", NAN)),
        *(("recent", value) for value in ("a", [1, 2], ["a", 1])),
        *(
            ("device", "tpu"),
            ("device", "cuda:"),
            ("keys", "Ctrl+O"),
            ("keys", {"open": 1}),
            ("folder", 1),
            ("geometry", {}),
            ("layout", {"a": 1}),
        ),
        *(("layers", [LAYER, LAYER]), ("layers", [LAYER | {"id": "pixels"}]), ("layers", {})),
        *(("tables", [{"separator": "|"}]), ("tables", [{"classes": "a"}]), ("tables", "a")),
        *(("layers", [LAYER | {"opacity": NAN}]), ("layers", [LAYER | {"chosen": {}}])),
        *(("layers", [LAYER | {"colour": "red"}]), ("colour", "red")),
    ],
    ids=str,
)
def test_a_bad_setting_is_dropped_alone_with_one_warning(
    key: str, value: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "settings.toml"
    toml(path, SETTINGS)
    good = Settings.read(path)
    assert (good.scheme, good.threads, len(good.layers)) == ("dark", 3, 1)
    toml(path, SETTINGS | {key: value})
    known = {field.name: getattr(DEFAULTS, field.name) for field in dataclasses.fields(Settings)}
    bare = {key: known[key]} if key in known else {}
    assert Settings.read(path) == dataclasses.replace(good, **bare)
    (warning,) = warnings_in(caplog)
    assert str(path) in warning
    assert f"“{key}" in warning
