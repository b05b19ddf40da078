"""The data set that is open: what runs are trained on, and which data a model is shown on."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from psygnal import Signal

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import Dataset, size_text
from vae_explorer.data.opening import inspect, open_images
from vae_explorer.data.preview import Preview
from vae_explorer.data.reading import Reading
from vae_explorer.errors import CheckpointError, UserError
from vae_explorer.session.files.settings import MOST_DATA
from vae_explorer.session.files.settings_file import SettingsFile
from vae_explorer.session.jobs import Control
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.estimate import Estimate, estimate
from vae_explorer.training.presets import recipe_of
from vae_explorer.training.proposal import proposed, seconds_of
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import DataReference, Snapshot

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


class OpenData:
    """Opens data sets, and finds those of models again. Main thread only, but for ``find``.

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
        known = {source.path: source.reading for source in self._settings.now.data.values()}
        chosen = reading or known.get(path, Reading())
        usual = recipe_of("quick")

        def read(control: Control) -> tuple[Recipe, Dataset] | UserError:
            try:
                found = inspect(path, chosen, control.check)
                recipe = look(found, control)
                # What it takes for granted has been shown.
                data = read_all(replace(chosen, grid=found.reading.grid), control)
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

        def read_all(chosen: Reading, control: Control) -> Dataset:
            def tell(done: float) -> None:
                text = f"Reading {path.name}: {done:.0%}"
                control.report(partial(self.progress.emit, text))

            data = open_images(path, chosen, tell, control.check)
            data.fingerprint  # noqa: B018  # takes a while, and is kept
            return data

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
        if data.source is not None:
            others = {
                fingerprint: source
                for fingerprint, source in self._settings.now.data.items()
                if fingerprint != data.fingerprint and source.path != data.source.path
            }
            known = {data.fingerprint: data.source} | others
            kept = dict([*known.items()][:MOST_DATA])
            self._settings.change(replace(self._settings.now, data=kept))
        if data is not self.now:
            self.now = data
            self.changed.emit(data)

    # On any thread

    def find(self, wanted: DataReference) -> Dataset | None:
        """The data set that a checkpoint names: open, bundled, or where it was read before.

        Its training images may be more than the model was trained on, which are the first then.
        """
        for data in (self.now, mnist_dataset()):
            with suppress(UserError):  # files of the program may be missing
                if wanted.are(data.train):
                    return data
        known = self._settings.now.data.get(wanted.fingerprint)
        opened = {source.path for source in self._settings.now.data.values()}
        named = wanted.source
        if named and named.path not in opened and not _at_hand(named.path):
            named = None
        for source in filter(None, (known, named)):
            try:
                found = open_images(source.path, source.reading)
            except UserError:
                continue  # gone or spoilt meanwhile
            if wanted.are(found.train):
                return found
        return None

    def to_show(self, snapshot: Snapshot, what: str) -> Dataset:
        """The data of a model, else others of the size that it reads, of which it then says so.

        Raises:
            CheckpointError: there are none; ``what`` names the model.
        """
        found = self.find(snapshot.data)
        if found is not None:
            return found
        shape, now = snapshot.model.image_shape, self.now
        for data in (now, mnist_dataset()):
            if data.image_shape == shape:
                return data
        raise CheckpointError(
            f"{what} reads images of {size_text(shape)}, and its data {snapshot.data.name} "
            f"({snapshot.data.images:,} images) were not found; {now.name} has images of "
            f"{size_text(now.image_shape)}. Open {snapshot.data.name} by File ▸ Open Data… first."
        )


def _at_hand(path: Path) -> bool:
    """Whether a file may lead there that somebody sent: not to the network, nor into a folder."""
    text = str(path)
    return text in ("mnist", "digits") or (not text.startswith(("//", "\\\\")) and path.is_file())
