"""The data set that is open: what runs are trained on, and which data a model is shown on."""

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from psygnal import Signal

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import Dataset, size_text
from vae_explorer.data.opening import inspect, open_images
from vae_explorer.data.preview import Preview
from vae_explorer.data.readers.ready_made import known
from vae_explorer.data.reading import Reading
from vae_explorer.errors import DataError, UserError
from vae_explorer.session.files.settings import MOST_DATA
from vae_explorer.session.files.settings_file import SettingsFile
from vae_explorer.session.jobs import Control
from vae_explorer.session.tasks import Newest, Tasks
from vae_explorer.training.estimate import Estimate, estimate
from vae_explorer.training.presets import recipe_of
from vae_explorer.training.proposal import proposed, seconds_of
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import DataReference, Snapshot
from vae_explorer.types import ImageShape

_TIME = "time of data"


@dataclass(frozen=True, eq=False)
class Look:
    """How what is at a path will be read by choices, and what is proposed to train on it.

    ``seconds`` are what the recipe takes, counted.
    """

    path: Path
    reading: Reading
    found: Preview
    recipe: Recipe
    seconds: float


@dataclass(frozen=True, eq=False)
class Missing:
    """Data that were not found, of which a person is asked; ``why`` tells what was looked at.

    ``take`` goes on with data: those, ``others`` that were located in their stead, or the ``own``
    images of the program, of their size. The last two are None where no others will do.
    """

    wanted: DataReference
    why: str
    take: Callable[[Dataset], None]
    own: Dataset | None
    others: Dataset | None = None


class OpenData:
    """Opens data sets, and finds those of models again. Main thread only, but for the last.

    Args:
        tasks: where data are read.
        settings: remember where data were found, by their fingerprints.
        now: what is open at the start.
        device: what is trained on.
    """

    looked = Signal(Look)
    """How a file or a folder will be read; its images are being read meanwhile."""
    refused = Signal(str)
    """Why the data that were looked at cannot be read as chosen."""
    offered = Signal(Dataset)
    """The data that were looked at have been read, and may be taken."""
    timed = Signal(float)
    """The seconds that the proposed recipe takes, from steps taken beside the window."""
    progress = Signal(str)
    """What is being read and how far it is, or "" when nothing is."""
    taken = Signal(Dataset)
    """A person wants to train on another data set, and to see it."""
    changed = Signal(Dataset)
    """Another is open, because a person took it or opened a model of it."""
    missing = Signal(Missing)
    """A person is to say where data are, or whether to go on without."""

    def __init__(
        self, tasks: Tasks, settings: SettingsFile, now: Dataset, device: str = "auto"
    ) -> None:
        self._jobs, self._device = tasks.jobs, device
        self._reading = tasks.newest("data", "The data were not opened")
        self._settings = settings
        self.now = now
        """What is open."""

    @property
    def recent(self) -> tuple[str, ...]:
        """The files and folders of those opened last, the newest first."""
        sources = self._settings.now.data.values()
        return tuple(dict.fromkeys(str(source.path) for source in sources))

    def open(self, path: Path, reading: Reading | None = None) -> None:
        """Look at a file or a folder, and read it to be taken.

        By other choices it is another look at the same; without, recent ones are read as before.
        """
        before = {source.path: source.reading for source in self._settings.now.data.values()}
        chosen = reading or before.get(path, Reading())
        usual = recipe_of("quick")

        def read(control: Control) -> tuple[Recipe, Dataset] | UserError:
            try:
                found = inspect(path, chosen, control.check)
                recipe = look(found, control)
                # What it takes for granted has been shown.
                chosen_grid = replace(chosen, grid=found.reading.grid)
                data = self._read(path, chosen_grid, control)
                if data.sizes() != found.counts:  # some are damaged, or copies, which share a split
                    recipe = look(replace(found, counts=data.sizes()), control)
                return recipe, data
            except UserError as error:
                if reading is None:
                    raise
                return error

        def look(found: Preview, control: Control) -> Recipe:
            recipe = proposed(usual, found)
            seconds = seconds_of(recipe, found.image_shape, found.counts["train"])
            seen = Look(path, chosen, found, recipe, seconds)
            control.report(partial(self.looked.emit, seen))
            return recipe

        def done(read: tuple[Recipe, Dataset] | UserError) -> None:
            self.progress.emit("")
            if isinstance(read, UserError):
                self.refused.emit(str(read))
            else:
                self._time(*read)
                self.offered.emit(read[1])

        def ended(*error: object) -> None:
            self.progress.emit("")
            if error:
                self.refused.emit(str(error[0]))

        self._reading.run(read, done, failed=ended, cancelled=ended)

    def _read(self, path: Path, reading: Reading, control: Control) -> Dataset:
        """On the worker's thread."""

        def tell(done: float) -> None:
            text = f"Reading {path.name}: {done:.0%}"
            control.report(partial(self.progress.emit, text))

        data = open_images(path, reading, tell, control.check)
        data.fingerprint  # noqa: B018  # takes a while, and is kept
        return data

    def _time(self, recipe: Recipe, data: Dataset) -> None:
        def work(control: Control) -> Estimate:
            return estimate(recipe, data.train, self._device, control.check)

        self._jobs.run_newest(
            _TIME,
            work,
            done=lambda found: self.timed.emit(found.run_seconds),
            failed=lambda _: None,  # what was counted stays
            lane="figures",
        )

    def leave(self) -> None:
        """Neither take what is being looked at, nor read it any further."""
        self._reading.cancel()
        self._jobs.cancel(_TIME)

    def take(self, data: Dataset) -> None:
        """Train on a data set from now on, and show the model of the map on it if it can be."""
        self._jobs.cancel(_TIME)
        self.use(data)
        self.taken.emit(data)

    def use(self, data: Dataset) -> None:
        """Let this be the data set that is open, and remember where it was."""
        self._remember(data)
        if data is not self.now:
            self.now = data
            self.changed.emit(data)

    def _remember(self, data: Dataset) -> None:
        if data.source is not None:
            others = {
                fingerprint: source
                for fingerprint, source in self._settings.now.data.items()
                if fingerprint != data.fingerprint and source.path != data.source.path
            }
            sources = {data.fingerprint: data.source} | others
            kept = dict([*sources.items()][:MOST_DATA])
            self._settings.change(replace(self._settings.now, data=kept))

    def seek(
        self,
        task: Newest,
        wanted: DataReference,
        take: Callable[[Dataset], None],
        shape: Callable[[], ImageShape] | None = None,
    ) -> None:
        """Find data and ``take`` them, or ask where they are; as ``look``."""
        task.run(lambda _: self.look(wanted, take, shape), partial(self.answer, take))

    def locate(self, missing: Missing, path: Path) -> None:
        """Take what a person says is the data that were missing; of others it is asked again."""
        wanted, own = missing.wanted, missing.own
        usual = wanted.source.reading if wanted.source else Reading()
        plain = replace(usual, kind="", images="", labels="", layout="", grid=None)

        def read(control: Control) -> Dataset | Missing:
            others, refused = None, ""
            for reading in dict.fromkeys((usual, plain)):
                try:
                    found = self._read(path, reading, control)
                except UserError as error:
                    refused = refused or str(error)
                    continue
                if wanted.are(found.train):
                    return found
                others = others or found
            if others is None:
                return replace(missing, why=refused, others=None)
            size = size_text(others.image_shape)
            why = f"{path} has other content: {others.training_images:,} training images of {size}."
            fits = own is not None and own.image_shape == others.image_shape
            return replace(missing, why=why, others=others if fits else None)

        def done(found: Dataset | Missing) -> None:
            self.progress.emit("")
            if isinstance(found, Dataset):
                self._remember(found)
            self.answer(missing.take, found)

        def ended(*_: object) -> None:
            self.progress.emit("")

        self._reading.run(read, done, failed=ended, cancelled=ended)

    def answer(self, take: Callable[[Dataset], None], found: Dataset | Missing) -> None:
        """``take`` what ``look`` found, or ask where it is."""
        if isinstance(found, Dataset):
            take(found)
        else:
            self.missing.emit(found)

    # On any thread

    def find(
        self, wanted: DataReference, tell: Callable[[str], object] = lambda _: None
    ) -> Dataset | None:
        """The data set that a checkpoint names: open, bundled, or where it was read before.

        Its training images may be more than the model was trained on, which are the first then.
        ``tell`` is given what was looked at in vain.
        """
        for data in (self.now, mnist_dataset()):
            with suppress(UserError):  # files of the program may be missing
                if data.fingerprint == wanted.fingerprint or wanted.are(data.train):
                    return data
        opened = self._settings.now.data
        paths = {source.path for source in opened.values()}
        for source in dict.fromkeys(filter(None, (opened.get(wanted.fingerprint), wanted.source))):
            try:
                _check_within_reach(source.path, paths)
                found = open_images(source.path, source.reading)
                if wanted.are(found.train):
                    return found
                tell(f"{source.path} has other content now.")
            except UserError as error:
                tell(str(error))
        return None

    def look(
        self,
        wanted: DataReference,
        take: Callable[[Dataset], None],
        shape: Callable[[], ImageShape] | None = None,
    ) -> Dataset | Missing:
        """Data, or what is to be asked of them.

        Args:
            wanted: names them.
            take: goes on with what is answered.
            shape: tells the size that others must have to do as well; None if none will.
        """
        reasons: list[str] = []
        found = self.find(wanted, reasons.append)
        if found is not None:
            return found
        if not wanted.source:
            reasons.append("Where they were read from is not known.")
        return Missing(wanted, "\n".join(reasons), take, own_images(shape()) if shape else None)

    def to_show(self, snapshot: Snapshot) -> Dataset:
        """The data of a model, else images of the program, of which it then says so."""
        return self.find(snapshot.data) or own_images(snapshot.model.image_shape)


def own_images(shape: ImageShape) -> Dataset:
    """Images of the program to show a model on: MNIST where it reads such, else small digits."""
    mnist = mnist_dataset()
    if shape == mnist.image_shape:
        return mnist
    reading = Reading(size=(shape[0], shape[1]), channels="rgb" if len(shape) == 3 else "gray")
    digits = replace(open_images("digits", reading), source=None)  # nobody opened them
    digits.fingerprint  # noqa: B018  # as above
    return digits


def _check_within_reach(path: Path, opened: Collection[Path]) -> None:
    """Refuse what is gone, and where a file that somebody sent may not lead unless it was opened.

    Raises:
        DataError: it is one of these.
    """
    name = known(path)
    if name in ("mnist", "digits"):
        return
    if path not in opened:
        if name or str(path).startswith(("//", "\\\\")):
            raise DataError(f"{path} is on the network, where nothing is looked for unasked.")
        if os.path.isdir(path):
            raise DataError(f"{path}: a folder not opened here before is not looked into unasked.")
    if not (name or os.path.exists(path)):
        raise DataError(f"{path} is not there any more.")
