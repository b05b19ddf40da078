"""Checks made before Qt starts, where Qt itself would only abort."""

import builtins
import ctypes
import logging
import os
import sys
from importlib.metadata import version

from vae_explorer.errors import UserError
from vae_explorer.shell import command_line

logger = logging.getLogger(__name__)

_XCB_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
}
PLUGIN_PATHS = ("QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH")
"""Variables that lead Qt to plug-ins; those of another Qt end the program."""
_OTHERS = ("cv2", "PyQt5", "PyQt6", "PySide2")  # which set them for themselves

_COMMANDS_WORK = "The commands train, evaluate, encode, decode and export work without a window."


def check_binding(python: tuple[int, int], pyside: str) -> None:
    """Refuse the pairs that crash later.

    Raises:
        UserError: PySide6 6.12 or newer on Python below 3.12, which loses a reference to None and
            True at every call until the interpreter aborts (PYSIDE-3474).
    """
    major, minor = (int(part) for part in pyside.split(".")[:2])
    if python < (3, 12) and (major, minor) >= (6, 12):
        older = command_line("pip", "install", "PySide6-Essentials<6.12")
        raise UserError(
            f"PySide6 {pyside} aborts Python {python[0]}.{python[1]} after some hundred calls. "
            f"Install an older one ({older}) or use Python 3.12."
        )


def check_display() -> None:
    """Make sure a window can open.

    Raises:
        UserError: there is no display, it does not answer, or a library that Qt's X11 plug-in needs
            is missing; the message names it.
    """
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if sys.platform != "linux" or platform not in ("", "xcb"):
        return
    if not platform and os.environ.get("WAYLAND_DISPLAY"):
        return
    display = os.environ.get("DISPLAY")
    if not display:
        raise UserError(f"There is no display to open a window on. {_COMMANDS_WORK}")
    missing = [package for library, package in _XCB_LIBRARIES.items() if not _loads(library)]
    if missing:
        raise UserError(
            "Libraries that a window needs are missing; on Debian or Ubuntu run: "
            f"sudo apt-get install {' '.join(missing)}"
        )
    if not _answers():
        raise UserError(f"The display {display} does not answer. {_COMMANDS_WORK}")


def drop_foreign_plugins() -> None:
    """Forget plug-ins that OpenCV or another binding of Qt has put into the environment."""
    for name in PLUGIN_PATHS:
        value = os.environ.get(name, "")
        if any(other in value for other in _OTHERS):
            del os.environ[name]
            logger.warning("%s=%s is of another program's Qt and was left out.", name, value)


def check() -> None:
    """Everything above, for the packages installed here.

    Raises:
        UserError: see ``check_binding`` and ``check_display``; or QtGui cannot load, as without
            libEGL.
    """
    check_binding(sys.version_info[:2], version("PySide6-Essentials"))
    check_display()
    drop_foreign_plugins()
    plain_import = builtins.__import__
    try:
        import PySide6.QtGui
        import PySide6.QtWidgets  # noqa: F401

        # PySide's own import function reads the source of every module imported after it, for a
        # feature not used here; it makes PyTorch load a third slower (napari issue 8584).
        builtins.__import__ = plain_import
    except ImportError as error:
        raise UserError(
            f"Qt cannot start: {error}. On Debian or Ubuntu run: "
            "sudo apt-get install libglib2.0-0 libgl1 libegl1 libxkbcommon0 libdbus-1-3 "
            "libfontconfig1"
        ) from error


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _answers() -> bool:
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    # It stays open: an Xvfb that loses its only client starts afresh, and refuses Qt meanwhile.
    return not xcb.xcb_connection_has_error(connection)
