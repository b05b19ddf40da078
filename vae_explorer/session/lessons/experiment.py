"""What every experiment of a lesson is, without pixels."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

from psygnal import Signal

from vae_explorer.data import bundled
from vae_explorer.fields import Fields, FieldSpec, Value, field
from vae_explorer.lessons.course import LessonError
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.map.layer_contents import EncodedImage
from vae_explorer.session.tasks import Newest, Patient

T = TypeVar("T")

Subject = Literal["", "shown", "MNIST"]

_PACKAGE = __name__.rpartition(".")[0]
_FAILURE = "The lesson could not compute this"


def setting(default: Value, label: str, about: str, **more: Any) -> Any:
    """A field of settings; ``more`` is of its ``FieldSpec``."""
    return field(default, FieldSpec("", label, about, **more))


@dataclass(frozen=True)
class Settings(Fields):
    """What a person sets in an experiment; each field of a subclass is a key of lesson files.

    A value that is no setting's raises ``LessonError``.
    """

    kind = "Setting"
    error = LessonError

    def after(self, changes: Mapping[str, Any]) -> Self:
        """The settings when these have changed, with whatever else changes along with them."""
        return self.replace(**changes)

    def state(self) -> dict[str, Any]:
        """The settings that matter beside one another, as TOML can hold them."""
        values = {
            name: getattr(self, name) for name, spec in self.specs().items() if spec.applies(self)
        }
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None
        }


def digit_setting(**more: Any) -> Any:
    """The field of a training digit; ``more`` is of its ``FieldSpec``."""
    high = bundled.TRAINING_IMAGES - 1
    return setting(0, "N&umber", "Which training digit it is about, by number", high=high, **more)


@dataclass(frozen=True)
class DigitSettings(Settings):
    """Of an experiment about one digit: the training digit ``image``, if readers want no other."""

    image: int = digit_setting()

    def after(self, changes: Mapping[str, Any]) -> Self:
        """Older files have −1 for the digit that the lesson has anyway."""
        if changes.get("image") == -1:
            changes = {name: value for name, value in changes.items() if name != "image"}
        return super().after(changes)


@dataclass(frozen=True, eq=False)
class Result:
    """What an experiment has found so far; each field of a subclass has a default: nothing yet."""


class Work:
    """Requests on the lane of lessons, each done once for what it is ``of``.

    What was not answered is forgotten as its experiment is hidden or as it fails, and then asked
    for again.
    """

    def __init__(self, task: Newest | Patient) -> None:
        self._task = task
        self.of: object = None
        """What was asked for last, known or under way."""

    @property
    def busy(self) -> bool:
        """True from a request to its end."""
        return self._task.busy

    def ask(self, of: object, work: Callable[[Control], T], done: Callable[[T], None]) -> bool:
        """Begin ``work`` unless it is of what was asked for last; True if it is begun."""
        if of == self.of:
            return False
        self.of = of
        self._task.run(work, done, failed=lambda _: self.cancel())
        return True

    def run(self, work: Callable[[Control], T], done: Callable[[T], None]) -> None:
        """Begin ``work``, whatever was asked for."""
        self.ask(object(), work, done)

    def cancel(self) -> None:
        """No longer want what was asked for."""
        self.of = None
        self._task.cancel()


S = TypeVar("S", bound=Settings)
R = TypeVar("R", bound=Result)


class Experiment(Generic[S, R]):
    """Holds the settings of a lesson and what comes of them. Belongs to the main thread.

    It computes only while it is shown: between ``show`` and ``hide``. A subclass gives ``update``,
    ``symbols`` and ``data``.

    Args:
        context: the model, the digits and the lanes.
        settings: those at first.
        result: that of nothing.
    """

    subject: ClassVar[Subject] = ""
    """Which images it is about: none, those on the map, or MNIST's whatever the map shows."""

    changed = Signal(Result)
    """The settings or the result are others."""
    values_changed = Signal(dict)
    """The live value of each symbol of the lesson: a float, or a text where one is not enough."""

    def __init__(self, context: LessonContext, settings: S, result: R) -> None:
        self.context = context
        self.settings = settings
        self.result = result
        self.values: dict[str, float | str] = {}
        self.shown = False
        self._works: list[Work] = []
        self._waits: object = None
        context.changed.connect(self._on_context)

    @property
    def note(self) -> str:
        """What is to be said where the map shows other data than MNIST; "" if nothing is."""
        name = self.context.map.shown_data.name
        if not self.subject or name == "MNIST":
            return ""
        if self.subject == "MNIST":
            return f"This lesson needs MNIST, and shows it instead of {name}."
        return f"The figure shows {name}; numbers in the text are of MNIST."

    def show(self) -> None:
        """Begin to compute; called as the experiment comes to the front."""
        self.shown = True
        self.update()
        self.publish()

    def hide(self) -> None:
        """Stop computing and animating."""
        self.shown = False
        self.freeze()
        for work in self._works:
            if work.busy:
                work.cancel()

    def state(self) -> dict[str, Any]:
        """What a person set, as TOML can hold it."""
        return self.settings.state()

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set what a lesson file names, and leave the rest as it is.

        Raises:
            LessonError: a key is unknown or a value cannot be.
        """
        self.take(self.settings.after(state))

    def set(self, /, **changes: Any) -> None:
        """Change some settings; raises as ``set_state``."""
        settings = self.settings.after(changes)
        if settings != self.settings:
            self.take(settings)

    def move(self, /, **changes: Any) -> None:
        """Change some settings to the nearest values that they may have."""
        self.set(**{name: self.settings.nearest(name, value) for name, value in changes.items()})

    def take(self, settings: S) -> None:
        """Go on with other settings."""
        self.settings = settings
        if self.shown:
            self.update()
        self.publish()

    def update(self) -> None:
        """Compute what settings, model and digit ask for and is not known; only while shown."""

    def symbols(self) -> dict[str, float | str]:
        """The value of each symbol that has one now."""
        return {}

    def data(self) -> dict[str, Any]:
        """The numbers that the figure shows now, by name: what the lesson's code reproduces."""
        return {}

    def publish(self, **found: Any) -> None:
        """Take fields of the result that have been found, and let all know."""
        if found:
            self.result = replace(self.result, **found)
        self.values = self.symbols()
        self.changed.emit(self.result)
        self.values_changed.emit(self.values)

    def newest(self, key: str) -> Work:
        """Requests of which each replaces the one before; ``hide`` cancels them."""
        self._works.append(Work(self.context.tasks.newest(key, _FAILURE, "lessons")))
        return self._works[-1]

    def patient(self, key: str) -> Work:
        """Requests of which one is finished before the newest is begun; ``hide`` cancels them."""
        self._works.append(Work(self.context.tasks.patient(key, _FAILURE, "lessons")))
        return self._works[-1]

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Go on with an animation, in the place of what still waits; ``hide`` ends it."""
        self._waits = call

        def go_on() -> None:
            if call is self._waits:
                self._waits = None
                call()

        self.context.after(seconds, go_on)

    @property
    def animated(self) -> bool:
        """Whether more of an animation is to come."""
        return self._waits is not None

    def freeze(self) -> None:
        """End an animation where it is."""
        self._waits = None

    def _on_context(self) -> None:
        if self.shown:
            self.update()
            self.publish()


AnyExperiment = Experiment[Any, Any]

D = TypeVar("D", bound=DigitSettings)


class DigitExperiment(Experiment[D, R], Generic[D, R]):
    """One about a digit: the lesson's, or the reader's own."""

    subject: ClassVar[Subject] = "shown"

    @property
    def digit(self) -> EncodedImage | None:
        """It, with its q(z|x) by the model; None as long as there is no model."""
        return self.context.digit(self.settings.image)

    @property
    def about(self) -> tuple[object, ...] | None:
        """What tells model and digit from others, if there are both."""
        model, digit = self.context.model, self.digit
        if model is None or digit is None:
            return None
        return model, digit.title, digit.seed, digit.image.tobytes()


def differs(new: Result, old: Result | None, *names: str) -> bool:
    """Whether one of these fields, of all fields if none are named, is another object."""
    names = names or tuple(item.name for item in dataclasses.fields(new))
    return old is None or any(getattr(new, name) is not getattr(old, name) for name in names)


def class_in(module: str, base: type[T]) -> type[T] | None:
    """The subclass of ``base`` that a module defines, or None if it has but generic ones.

    Raises:
        ModuleNotFoundError: there is no such module.
    """
    for value in vars(import_module(module)).values():
        if not (isinstance(value, type) and issubclass(value, base)):
            continue
        if value.__module__ == module and not getattr(value, "__parameters__", ()):
            return value
    return None


def make_experiment(name: str, context: LessonContext) -> AnyExperiment:
    """The experiment of this name.

    Raises:
        LessonError: there is none.
    """
    try:
        found = class_in(f"{_PACKAGE}.{name}", Experiment)
    except ModuleNotFoundError:
        found = None
    if found is None:
        known = ", ".join(sorted(experiments()))
        raise LessonError(f"There is no experiment '{name}'; a lesson can use {known}.")
    make: Callable[..., AnyExperiment] = found
    return make(context)


def experiments() -> dict[str, type[AnyExperiment]]:
    """All experiments, by the names that lesson files use: those of the modules beside this one."""
    names = [info.name for info in iter_modules(import_module(_PACKAGE).__path__)]
    found = {name: class_in(f"{_PACKAGE}.{name}", Experiment) for name in names}
    return {name: one for name, one in found.items() if one}
