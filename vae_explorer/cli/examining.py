"""``vae-explorer doctor``: what the program stands on, and what to do where it does not hold."""

import json
import locale
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path

import click

from vae_explorer import __version__, paths
from vae_explorer.errors import UserError, torch_trouble
from vae_explorer.shell import command_line

_PACKAGES = (
    "PySide6-Essentials",
    "shiboken6",
    "torch",
    "numpy",
    "scipy",
    "pyqtgraph",
    "safetensors",
    "pillow",
)
_FOREIGN = ("PyQt5", "PyQt6", "PySide2", "opencv-python")
_DISPLAY = ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "QT_SCALE_FACTOR")
_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG", "PYTHONUTF8", "PYTHONIOENCODING")
_PATIENCE_S = 60

# In a process of its own, for Qt ends the one that it cannot work in.
_OPEN_QT = """
from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
app = QGuiApplication([])
screens = [
    f"{s.size().width()} x {s.size().height()} at {s.devicePixelRatio():.0%}" for s in app.screens()
]
print(f"Qt {qVersion()}, plugin {app.platformName()}, screens: {', '.join(screens)}")
"""


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, and what was found.

    ``problem`` says what is wrong and what to do; ``stops`` that no window opens because of it.
    """

    section: str
    name: str
    value: str
    problem: str = ""
    stops: bool = False


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Look for what may be wrong with this installation.

    Says versions, devices, display, locale and files, and for each problem what to do. Ends with
    status 1 if something stops the window.
    """
    found = []
    for section, findings in groupby(examine(), lambda finding: finding.section):
        if not as_json:
            click.echo(section)
        for finding in findings:
            found.append(finding)
            if not as_json:
                click.echo(f"  {finding.name:<22} {finding.value}")
                if finding.problem:
                    click.echo(f"  {'PROBLEM' if finding.stops else 'note':>22} {finding.problem}")
    stopped = any(finding.stops for finding in found)
    if as_json:
        lines = [asdict(finding) for finding in found]
        click.echo(json.dumps({"window": not stopped, "findings": lines}, indent=1))
    else:
        click.echo("Something stops the window." if stopped else "Nothing stops the window.")
    ctx.exit(int(stopped))


def examine() -> Iterator[Finding]:
    """Everything, what needs no library first."""
    yield from _versions()
    yield from _encodings()
    yield from _files()
    yield from _qt()
    yield from _devices()


def _versions() -> Iterator[Finding]:
    section = "Versions"
    yield Finding(section, "VAE Explorer", f"{__version__} in {Path(__file__).parents[1]}")
    yield Finding(section, "Python", f"{platform.python_version()} at {sys.executable}")
    yield Finding(section, "System", f"{platform.platform()}, {platform.machine()}")
    for package in _PACKAGES:
        number = _version(package)
        problem = "" if number else f"It is missing; run: {command_line('pip', 'install', package)}"
        yield Finding(section, package, number or "missing", problem, not number)

    binding, glue = _version("PySide6-Essentials"), _version("shiboken6")
    if binding and glue and binding != glue:
        line = command_line("pip", "install", f"shiboken6=={binding}")
        problem = f"Both must be of one version; run: {line}"
        yield Finding(section, "Qt for Python", f"{binding} with shiboken6 {glue}", problem, True)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _encodings() -> Iterator[Finding]:
    section = "Locale"
    yield Finding(section, "Locale", ".".join(part or "C" for part in locale.getlocale()))
    yield _environment(section, _LOCALE)
    names = sys.getfilesystemencoding()
    odd = "" if names == "utf-8" else "Files with other letters may not open; set PYTHONUTF8=1."
    yield Finding(section, "File names", names, odd)
    yield Finding(section, "Text", locale.getencoding())
    yield Finding(section, "Output", getattr(sys.stdout, "encoding", None) or "none")


def _environment(section: str, names: tuple[str, ...]) -> Finding:
    there = [f"{name}={os.environ[name]}" for name in names if name in os.environ]
    return Finding(section, "Environment", " ".join(there) or "nothing set")


def _files() -> Iterator[Finding]:
    section = "Files"
    for name, path in (
        ("Settings", paths.settings_file()),
        ("Log", paths.log_file()),
        ("Crashes", paths.crash_file()),
        ("Runs", paths.runs()),
        ("Presets", paths.presets()),
    ):
        problem = _unwritable(path)
        yield Finding(section, name, str(path), problem)
    for name, path in (
        ("Bundled model", paths.bundled_checkpoint()),
        ("Data and lessons", paths.resources()),
    ):
        there = path.exists()
        problem = "" if there else "It is missing; install VAE Explorer again."
        yield Finding(section, name, str(path), problem, not there)


def _unwritable(path: Path) -> str:
    folder = next(parent for parent in path.parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return (
            f"Nothing can be written in {folder} ({error.strerror or error}); make it writable, "
            "or what is kept there is lost at the end."
        )


def _qt() -> Iterator[Finding]:
    from vae_explorer.gui import preflight

    section = "Window"
    yield _environment(section, _DISPLAY)
    there = [f"{name} {number}" for name in _FOREIGN if (number := _version(name))]
    yield Finding(section, "Other Qt libraries", ", ".join(there) or "none")
    for name in preflight.PLUGIN_PATHS:
        if value := os.environ.get(name):
            problem = (
                "It may make Qt load the plugins of another program; unset it if no window opens."
            )
            yield Finding(section, name, value, problem)
    try:
        preflight.check()
    except (UserError, PackageNotFoundError) as error:
        yield Finding(section, "Checks", "failed", str(error), True)
        return
    yield Finding(section, "Checks", "passed")
    command = [sys.executable, "-c", _OPEN_QT]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_PATIENCE_S
        )
        said, failed = result.stdout if result.returncode == 0 else result.stderr, result.returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        said, failed = str(error), -1
    lines = said.strip().splitlines() or [f"Qt ended with status {failed} without a word"]
    problem = "Qt does not start; the checks above passed, so the reason is in what it says."
    yield Finding(section, "Start of Qt", lines[-1], problem if failed else "", bool(failed))


def _devices() -> Iterator[Finding]:
    section = "Computing"
    try:
        from vae_explorer.training.device import devices, trouble
    except Exception as error:  # a library that is broken may raise anything
        line = command_line("pip", "install", "--force-reinstall", "torch")
        problem = torch_trouble(error) or f"PyTorch does not load; run: {line}"
        yield Finding(section, "PyTorch", f"{type(error).__name__}: {error}", problem, True)
        return
    from vae_explorer.processors import processors, quota

    for device in devices():
        why = trouble(device)
        problem = "It is passed over; its driver may be too old for this PyTorch." if why else ""
        value = why or "multiplies matrices"
        yield Finding(section, device, value, problem, bool(why) and device == "cpu")
    granted = quota()
    limit = "no quota" if granted == float("inf") else f"a quota of {granted:g}"
    value = f"{processors()} to use, of {os.cpu_count()} in the machine, with {limit}"
    yield Finding(section, "Processors", value)
