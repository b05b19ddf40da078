import builtins
import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from vae_explorer.errors import UserError
from vae_explorer.gui import preflight
from vae_explorer.gui.preflight import check, check_binding, check_display

NO_DISPLAY = ":4095"


@pytest.fixture(autouse=True)
def _bare_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("pyside", ["6.10.0", "6.11.3", "6.12.0", "6.12.0a1", "6.13", "7.0.1"])
@pytest.mark.parametrize("python", [(3, 11), (3, 12), (3, 13), (4, 0)])
def test_only_old_python_with_new_pyside_is_refused(python: tuple[int, int], pyside: str) -> None:
    if python == (3, 11) and not pyside.startswith(("6.10", "6.11")):
        with pytest.raises(UserError, match=rf"PySide6 {pyside} aborts Python 3\.11") as caught:
            check_binding(python, pyside)
        assert "'PySide6-Essentials<6.12'" in str(caught.value), "says what to install"
    else:
        check_binding(python, pyside)


def test_no_display_at_all_is_said_in_a_sentence() -> None:
    with pytest.raises(UserError, match="There is no display to open a window on.") as caught:
        check_display()
    assert "work without a window" in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="the X11 libraries are asked for")
def test_a_display_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_loads", lambda library: True)
    monkeypatch.setenv("DISPLAY", NO_DISPLAY)
    with pytest.raises(UserError, match=f"The display {NO_DISPLAY} does not answer"):
        check_display()


def test_a_display_that_answers_is_taken(
    monkeypatch: pytest.MonkeyPatch, xvfb_display: str
) -> None:
    monkeypatch.setenv("DISPLAY", xvfb_display)
    check_display()
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    check_display()


@pytest.mark.parametrize(
    "missing", [["libxcb-cursor.so.0"], ["libxkbcommon-x11.so.0", "libxcb-shape.so.0"]]
)
def test_missing_libraries_are_named_by_their_packages(
    monkeypatch: pytest.MonkeyPatch, missing: list[str]
) -> None:
    monkeypatch.setenv("DISPLAY", NO_DISPLAY)
    monkeypatch.setattr(preflight, "_loads", lambda library: library not in missing)
    packages = " ".join(preflight._XCB_LIBRARIES[library] for library in missing)
    with pytest.raises(UserError, match=f"apt-get install {packages}$"):
        check_display()


@pytest.mark.parametrize(
    "environment",
    [
        {"QT_QPA_PLATFORM": "offscreen"},
        {"QT_QPA_PLATFORM": "wayland"},
        {"WAYLAND_DISPLAY": "wayland-0"},
    ],
)
def test_other_ways_to_a_window_are_left_to_qt(
    monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]
) -> None:
    monkeypatch.setattr(preflight, "_answers", lambda: pytest.fail("asked X11"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    check_display()


def test_x11_is_checked_when_it_is_asked_for_beside_wayland(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(UserError, match="no display"):
        check_display()


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_only_linux_needs_a_display(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(preflight, "_answers", lambda: pytest.fail("asked X11"))
    check_display()


@pytest.mark.parametrize("name", preflight.PLUGIN_PATHS)
def test_plugins_of_another_qt_are_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    monkeypatch.setenv(name, "/lib/site-packages/cv2/qt/plugins")
    preflight.drop_foreign_plugins()
    assert name not in os.environ
    assert f"{name}=/lib/site-packages/cv2/qt/plugins" in caplog.text
    monkeypatch.setenv(name, "/usr/lib/qt6/plugins")
    preflight.drop_foreign_plugins()
    assert os.environ[name] == "/usr/lib/qt6/plugins", "a desktop's own style"


def test_libraries_are_looked_for() -> None:
    assert preflight._loads("libc.so.6") == (sys.platform == "linux")
    assert not preflight._loads("libthere-is-no-such-library.so.0")


def test_what_is_installed_here_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(preflight, "check_binding", lambda *pair: asked.append(pair))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    check()
    ((python, pyside),) = asked
    assert python == sys.version_info[:2]
    assert pyside.split(".")[0] == "6"


def test_qt_that_cannot_load_is_said_with_the_packages_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load = builtins.__import__

    def without_egl(name: str, *arguments: Any) -> ModuleType:
        if name == "PySide6.QtGui":
            raise ImportError("libEGL.so.1: cannot open shared object file")
        return load(name, *arguments)

    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(builtins, "__import__", without_egl)
    with pytest.raises(UserError, match=r"Qt cannot start: libEGL\.so\.1.*libegl1"):
        check()
