"""Every kind of file from outside: what is damaged is refused in one way, by its path."""

import dataclasses
import os
import re
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kinds_of_file import IN_TEXT, KINDS, put
from tests.support.strategies import plain_values, texts
from vae_explorer.data.idx import read_idx
from vae_explorer.errors import UserError
from vae_explorer.files import read_bytes
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.files.workspace import read_workspace
from vae_explorer.training.run_folder import RunFolder, RunLabel

MAY_BE_LEFT_OUT = {
    ("checkpoint", "title"),
    *(("workspace", field) for field in ("pixels", "lesson", "curves")),  # since version 4
}


@pytest.mark.parametrize("name", KINDS)
def test_a_good_file_is_read(name: str, tmp_path: Path) -> None:
    assert KINDS[name].read(put(KINDS[name], tmp_path))


@pytest.mark.parametrize("name", IN_TEXT)
def test_a_byte_order_mark_is_no_content(name: str, tmp_path: Path) -> None:
    path = put(KINDS[name], tmp_path)
    wanted = KINDS[name].read(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert KINDS[name].read(path) == wanted


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        pytest.param(name, at, value, id=f"{name}-{at}-{value!r:.40}")
        for name, kind in KINDS.items()
        for at, values in kind.bad.items()
        for value in values
    ],
)
def test_a_bad_value_is_named(name: str, at: str, value: object, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = put(kind, tmp_path, at, value)
    with pytest.raises(kind.error) as caught:
        kind.read(path)
    message = str(caught.value)
    message.encode()
    assert message.startswith(str(path))
    assert len(message) < 300 + len(str(path))
    if name not in ("recipe", "sweep"):  # which check their own fields, in their own words
        assert at.split(".")[0] in message.removeprefix(str(path))


@pytest.mark.parametrize(
    ("name", "at"),
    [
        (name, field)
        for name, kind in KINDS.items()
        for field in kind.values
        if name not in ("recipe", "lesson") and field not in ("format", "changes")
        if (name, field) not in MAY_BE_LEFT_OUT
    ],
)
def test_a_field_that_is_missing_is_named(name: str, at: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    with pytest.raises(kind.error, match=re.escape(f"“{at}”") if at != "data" else "data"):
        kind.read(put(kind, tmp_path, at, ...))


@pytest.mark.parametrize(
    ("name", "at", "hint"),
    [
        ("workspace", "colour", "“colour” is unknown"),
        ("workspace", "laiout", "did you mean “layout”"),
        ("workspace", "layers.0.colour", "“layers[0].colour” is unknown"),
        ("recipe", "epoch", "did you mean 'epochs'"),
        ("sweep", "axis", "did you mean “axes”"),
    ],
)
def test_a_field_that_is_unknown_is_named(name: str, at: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(KINDS[name].error, match=re.escape(hint)):
        KINDS[name].read(put(KINDS[name], tmp_path, at, 1))


@pytest.mark.parametrize(
    ("at", "value", "says"),
    [
        ("layers.0.opacity", 1.5, "“layers[0].opacity” is 1.5; it should be a number from 0 to 1."),
        ("scheme", "pink", '“scheme” is "pink"; it should be one of system, light, dark.'),
        ("align", 1, "“align” is 1; it should be true or false."),
        ("cursor", [0], "“cursor” is [0]; it should be a list of 2: a number from -6 to 6, a"),
        ("current", 1, "“current” is 1; it should be"),
        ("bookmarks", {"a": [0, 7]}, "“bookmarks[…][1]” should be a number from -6 to 6."),
        ("bookmarks", {"": [0, 0]}, "a name in “bookmarks” should be a text without outer spaces."),
        ("layers.0", {"id": "flow"}, "“layers[0]” lacks “on”."),
    ],
)
def test_what_is_wrong_is_said_with_what_would_do(
    at: str, value: object, says: str, tmp_path: Path
) -> None:
    path = put(KINDS["workspace"], tmp_path, at, value)
    with pytest.raises(UserError, match=re.escape(f"{path}: {says}")):
        read_workspace(path)


# Texts


@pytest.mark.parametrize("name", IN_TEXT)
@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 64, b"\x89PNG\r\n\x1a\n\xff\xfe", b"x = caf\xe9", b" " * (17 << 20)],
    ids=["empty", "zeros", "picture", "Latin-1", "too large"],
)
def test_what_is_no_such_text_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    if (name, content) == ("recipe", b""):
        pytest.skip("a recipe of default values")
    path = tmp_path / KINDS[name].name
    path.write_bytes(content)
    with pytest.raises(KINDS[name].error, match=re.escape(str(path))):
        KINDS[name].read(path)


@pytest.mark.parametrize("name", IN_TEXT)
@pytest.mark.parametrize("value", ["[" * 50_000, "9" * 10_000, "1\nx = 1", "caf"])
def test_what_is_no_toml_or_json_is_refused(name: str, value: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = tmp_path / kind.name
    text = f'{{"x": {value}, "x": 1}}' if kind.format == "JSON" else f"x = {value}\n"
    path.write_text(f"+++\n{text}\n+++\n## One\n" if name == "lesson" else text)
    with pytest.raises(kind.error, match=f"is not {kind.format}") as caught:
        kind.read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_no_regular_file_is_refused(name: str, tmp_path: Path) -> None:
    kind, path = KINDS[name], tmp_path / KINDS[name].name
    with pytest.raises(kind.error, match=f"{path} does not exist"):
        kind.read(path)
    path.mkdir()
    with pytest.raises(kind.error, match=f"{path} is not a "):
        kind.read(path)
    if hasattr(os, "mkfifo"):
        path.rmdir()
        os.mkfifo(path)
        with pytest.raises(kind.error, match=f"{path} is not a "):
            kind.read(path)
        path.unlink()
        path.symlink_to("/dev/zero")
        with pytest.raises(kind.error, match=f"{path} is not a "):
            kind.read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes among files here")
@pytest.mark.parametrize("what", ["pipe", "zeros", "socket", "folder"])
def test_whatever_lies_under_the_name_of_a_file_nothing_waits_for_it(
    what: str, tmp_path: Path
) -> None:
    path = tmp_path / RunFolder.LABEL
    with socket.socket(socket.AF_UNIX) as server:
        match what:
            case "pipe":
                os.mkfifo(path)
            case "zeros":
                path.symlink_to("/dev/zero")
            case "socket":
                server.bind(str(path))
            case "folder":
                path.mkdir()
        assert RunFolder(tmp_path).label == RunLabel()
        assert Settings.read(path) == Settings()  # after a warning
        with pytest.raises(UserError, match="is not a regular file"):
            read_idx(path)
        with pytest.raises(UserError, match="is not a regular file"):
            read_bytes(path, "anything", most=1)


@pytest.mark.parametrize("name", IN_TEXT)
def test_a_byte_order_mark_and_other_line_ends_do_no_harm(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = put(kind, tmp_path)
    before = kind.read(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    after = kind.read(path)
    if name == "lesson":
        assert after == dataclasses.replace(before, source=after.source)  # type: ignore
    else:
        assert after == before


@pytest.mark.parametrize("name", IN_TEXT)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(
    name: str, tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / KINDS[name].name
    path.write_bytes(content)
    with suppress(KINDS[name].error):
        KINDS[name].read(path)


@pytest.mark.parametrize("name", [name for name in IN_TEXT if name != "lesson"])
@given(data=st.data())
def test_values_of_any_type_are_refused_or_read(
    name: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    kind, path = KINDS[name], tmp_path_factory.mktemp("any") / KINDS[name].name
    fields = st.sampled_from(list(kind.values)) | texts
    kind.write(path, kind.values | data.draw(st.dictionaries(fields, plain_values, max_size=2)))
    try:
        kind.read(path)
    except kind.error as error:
        str(error).encode()
