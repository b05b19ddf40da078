"""Files that a person takes away."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, get_args

import numpy as np
from psygnal import Signal

from vae_explorer.export import copying, making
from vae_explorer.export.about import model_reference
from vae_explorer.export.content import export_content
from vae_explorer.export.film_requests import Film, Metric, Walk
from vae_explorer.export.kinds import KINDS, Kind, kind_of
from vae_explorer.export.numeric_requests import Points
from vae_explorer.export.requests import LARGEST_SIDE, PLANE, Digit, Images, Request, Strip
from vae_explorer.export.source import Source
from vae_explorer.files import numbered
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.explore.playback import Playback
from vae_explorer.session.jobs import Cancelled, Control
from vae_explorer.session.map.coloring import Coloring
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.search import Search
from vae_explorer.session.messages import Messages
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.types import Floats

Start = Callable[[], Request | None]
"""The request of a kind as things are on screen, None if nothing of it is there."""

Paint = Callable[[Callable[[], None]], None]

_PREVIEW = "export preview"
_SEEN = (".png", ".csv", ".gif")


class Exports:
    """Writes files off the main thread, and says so. Main thread only."""

    ended = Signal(bool)
    """A file that was asked for is there, or not: it failed or was cancelled."""

    def __init__(
        self,
        tasks: Tasks,
        messages: Messages,
        latent_map: LatentMap,
        cursor: Cursor,
        playback: Playback,
        search: Search,
        coloring: Coloring,
        pins: Pins,
    ) -> None:
        self._tasks = tasks
        self._messages = messages
        self._map = latent_map
        self._cursor = cursor
        self._playback = playback
        self._search = search
        self._coloring = coloring
        self._pins = pins
        self._left = Event()
        self.starts: dict[str, Start] = {
            "digit": self._digit,
            "path": self._strip,
            "images": self._images,
            "points": self._points,
            "walk": self._walk,
            "film": self._film,
        }
        """By kind, of those that begin with anything but their defaults."""
        self.view: Callable[[], Mapping[str, Any] | None] = lambda: None
        """The JSON of the workspace as it is, for what shows the map."""
        self.paint: Paint = _at_once
        """Calls what paints, on the main thread, once nothing else does and the map is at rest."""
        self._looked_at: object = None

    # What can leave

    def size(self, request: Request) -> str:
        """How large the file will be, for people; "" if that is not known before."""
        state = self._map.state
        return request.size(state.model.image_shape) if state else ""

    def offers(self) -> dict[str, Request]:
        """What can leave now, by kind."""
        if self._map.state is None:
            return {}
        found = {name: self.starts.get(name, kind.request)() for name, kind in KINDS.items()}
        return {name: request for name, request in found.items() if request is not None}

    def source(self, request: Request) -> Source | None:
        """What a request is made from now."""
        state = self._map.state
        if state is None:
            return None
        kind = kind_of(request)
        rotation = state.model.rotation if request.turned else None
        # Of some alone a network's last digits may be others.
        whole = isinstance(request, Points) and not request.indices
        known = self._search.known() if whole else {}
        source = Source(state.snapshot, state.path, rotation, lambda: state.data, known=known)
        if kind.painted and (view := self.view()):
            named = {"model": model_reference(source).sha256}
            return replace(source, workspace={**view, **named})
        return source

    def _digit(self) -> Request | None:
        state = self._map.state
        if state is None:
            return None
        z1, z2 = state.model.in_checkpoint(np.array([self._cursor.position]))[0].tolist()
        return Digit((z1, z2))

    def _strip(self) -> Request | None:
        shown = self._playback.path
        if shown is None or not len(shown.images):
            return None
        widest = LARGEST_SIDE // sum(image.shape[1] for image in shown.images)
        return Strip(tuple(shown.z.ravel().tolist()), scale=max(1, min(4, widest)))

    def _images(self) -> Request | None:
        tray = self._pins.tray
        split = tray[0].split if tray else "test"
        rows = [f"{pin.index}" for pin in tray if pin.split == split]
        return Images(split, ",".join(rows) or "0-9")

    def _points(self) -> Request | None:
        return self._search.points(*self._coloring.read_from)

    def _walk(self) -> Request | None:
        """Along the path that is shown, or else from pin to pin, or from bookmark to bookmark."""
        path, metric, closed = self._playback.path, "straight", False
        pins = [pin.mean for pin in self._pins.tray]
        marked = [bookmark.position for bookmark in self._cursor.bookmarks]
        z: Floats = np.array(pins if len(pins) > 1 else marked, np.float64)
        if path is not None and len(path.positions):
            guided, closed = path.kind in get_args(Metric), path.closed
            z = path.waypoints if guided else path.positions
            metric = path.kind if guided else metric
        if len(z) < 2 or np.abs(z).max() > PLANE:
            return None
        return Walk(z=tuple(z.ravel().tolist()), metric=metric, closed=closed)

    def _film(self) -> Request | None:
        path = self._map.state.path if self._map.state else None
        return Film() if path is not None and RunFolder.of(path) else None

    @staticmethod
    def free(path: Path) -> Path:
        """``path``, with a number if there is a file of that name."""
        return numbered(path)

    # Leaving

    def export(self, request: Request, path: Path) -> None:
        """Write what is asked for; one file after another."""
        source, kind = self.source(request), kind_of(request)
        if source is None:
            return

        said = ""

        def work(control: Control) -> None:
            nonlocal said
            told = 0

            def tell(done: float) -> None:
                nonlocal told
                if left.is_set():
                    raise Cancelled
                if (now := round(100 * done)) > told:
                    told = now
                    control.report(partial(self._say, f"Exporting {path.name}: {now} %"))

            if written is None:
                said = making.write(request, source, path, tell)
            else:
                export_content(path, *written)

        written: tuple[bytes, bytes | None] | None = None
        left = Event()
        self._left = left
        failure = "The file was not exported"

        def write() -> None:
            self._tasks.jobs.write(
                work,
                done=lambda: self._end(True, f"Exported {path}{said and f': {said}'}"),
                failed=self._tasks.showing(failure, lambda _: self._end(False)),
                cancelled=partial(self._end, False, f"{path.name} was not exported"),
            )

        def paint() -> None:
            nonlocal written
            try:
                making.check_suffix(kind, path)
                written = making.made(request, source, path.suffix.lower())
            except Exception as error:
                self._tasks.fail(failure, error)
                self.ended.emit(False)
                return
            write()

        if kind.painted:
            self.paint(paint)
        else:
            write()

    def cancel(self) -> None:
        """Leave what is being written; nothing of it stays."""
        self._left.set()

    def _say(self, text: str) -> None:
        self._messages.progress.emit(text)

    def _end(self, good: bool, text: str = "") -> None:
        self._say("")
        if text:
            self._messages.published.emit(text)
        self.ended.emit(good)

    def preview(self, request: Request, suffix: str, done: Callable[[bytes | str], None]) -> None:
        """Make a small one; ``done`` is given the newest, as a PNG or a text, or what is wrong.

        Of what cannot be seen, in the format of a ``suffix``, it is told how large it is.
        """
        source, kind = self.source(request), kind_of(request)
        if source is None:
            self.leave_preview()
            done("No model")
            return
        looked_at = self._looked_at = object()

        def show(found: bytes | str) -> None:
            if self._looked_at is looked_at:
                told = isinstance(found, str) or _seen(kind)
                done(found if told else f"{len(found) / 1e6:,.2f} MB\n\n{request.inside}")

        small = request.small(source.snapshot.model.image_shape)
        self._make(kind, small, source, _seen(kind) or suffix, show)

    def leave_preview(self) -> None:
        """Nobody looks any more at the one that is being made."""
        self._looked_at = None
        self._tasks.jobs.cancel(_PREVIEW)

    def copy(self, request: Request, done: Callable[[bytes | str], None]) -> None:
        """Make one for the clipboard, as a PNG or a text."""
        source = self.source(request)
        if source is not None and _seen(kind_of(request)):
            self._make(kind_of(request), request, source, _seen(kind_of(request)), done)

    def _make(
        self,
        kind: Kind,
        request: Request,
        source: Source,
        suffix: str,
        done: Callable[[bytes | str], None],
    ) -> None:
        def work(control: Control) -> bytes:
            return kind.make(request, source, suffix, lambda _: control.check())

        if not kind.painted:
            failed = lambda error: done(f"{error}")  # noqa: E731
            self._tasks.jobs.run_newest(
                _PREVIEW, work, done=done, failed=failed, cancelled=lambda: None, lane="layers"
            )
            return

        def paint() -> None:
            try:
                found: bytes | str = kind.make(request, source, suffix, making.unheard)
            except Exception as error:
                found = f"{error}"
            done(found)

        self.paint(paint)

    def command(self, request: Request, path: Path) -> str:
        """The command line that writes the same file; raises UserError if there is none."""
        source = self.source(request)
        return copying.as_command(request, source, path) if source else ""

    def python(self, request: Request, path: Path) -> str:
        """The lines of Python that do; raises UserError if there are none."""
        source = self.source(request)
        return copying.as_python(request, source, path) if source else ""

    # Other files

    def content(self, path: Path, content: bytes, failure: str) -> None:
        """Write what a view has drawn, or a text; ``failure`` is the title of an error."""
        self.write(path, partial(export_content, path, content), failure)

    def write(self, path: Path, write: Callable[[], None], failure: str) -> None:
        """Write a file by ``write``, which is called on the worker's thread."""
        self._tasks.write(write, lambda: self._messages.published.emit(f"Exported {path}"), failure)


def _at_once(paint: Callable[[], None]) -> None:
    paint()


def _seen(kind: Kind) -> str:
    """The format of a kind that can be seen here, "" if there is none."""
    return next((suffix for suffix in _SEEN if suffix in kind.suffixes), "")
