"""What is seen of images before they are trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, make_dataclass, replace
from typing import Any, cast

import numpy as np

from vae_explorer.data.arrays import spread
from vae_explorer.data.dataset import size_text
from vae_explorer.data.gathering import blocks, labels_of
from vae_explorer.data.pictures import border
from vae_explorer.data.plan import SAMPLES, Plan
from vae_explorer.data.readers.found import Check
from vae_explorer.data.reading import CHOICES, NONE, Reading, Report
from vae_explorer.data.splitting import test_count
from vae_explorer.data.treatment import first_gray
from vae_explorer.errors import DataError
from vae_explorer.fields import Fields, FieldSpec, field
from vae_explorer.types import Brief, ImageShape, Split, UInt8

LISTED, _SIZES = 12, 5
_OF_SPLIT = ("test_share", "seed")


@dataclass(frozen=True, eq=False, repr=False)
class Offer(Brief):
    """A choice that is worth a look: the field of ``Reading`` that it sets, and how it would look.

    ``value`` is what the field would become, ``samples`` the first samples with it.
    """

    field: str
    value: bool
    why: str
    samples: UInt8


@dataclass(frozen=True, eq=False, repr=False)
class Preview(Brief):
    """What is at a path and how it will be read.

    Attributes:
        name: what people call it.
        kind: what it is, such as "folder" or "npz".
        reading: all choices as they stand, those that were open decided.
        counts: images of each split.
        found_sizes: height and width, and how many images have them, the most frequent first.
        image_shape: of the images as they will be read.
        range: the values that become black and white.
        classes: how many images each has, by name; empty without labels.
        columns: the names of what else is known.
        split: "its own", or how the test images will be chosen.
        report: what is converted or left out, as far as it can be seen before all is read.
        samples: up to 24 images as the model will see them, (k, h, w) or (k, h, w, 3) uint8.
        sample_labels: the class of each, "" without one.
        likelihood: proposed for a recipe.
        treatment: proposed for a recipe.
        image_keys: what may hold the images, the one that is taken first.
        label_keys: what may hold the labels, likewise; "-" is none.
        offers: what may be chosen and is not done by itself.
    """

    name: str
    kind: str
    reading: Reading
    counts: Mapping[Split, int]
    found_sizes: tuple[tuple[tuple[int, int], int], ...]
    image_shape: ImageShape
    range: tuple[float, float]
    classes: Mapping[str, int]
    columns: tuple[str, ...]
    split: str
    report: Report
    samples: UInt8
    sample_labels: tuple[str, ...]
    likelihood: str
    treatment: str
    image_keys: tuple[str, ...]
    label_keys: tuple[str, ...]
    offers: tuple[Offer, ...]


def facts(found: Preview) -> dict[str, str]:
    """What there is to say of it, by what is told; "" where there is nothing."""
    sizes = [f"{size_text(size)}: {count:,}" for size, count in found.found_sizes]
    if len(sizes) > _SIZES:
        heights, widths = zip(*(size for size, _ in found.found_sizes), strict=True)
        sizes = [
            f"{len(sizes):,} different, {min(heights)} to {max(heights)} high, {min(widths)} to "
            f"{max(widths)} wide"
        ]
    classes = [f"{name}: {count:,}" for name, count in found.classes.items()]
    train, test = found.counts["train"], found.counts["test"]
    return {
        "found sizes": some(sizes) if len(found.found_sizes) > 1 else "",
        "range": f"{found.range[0]:g} to {found.range[1]:g} become black and white",
        "classes": f"{len(classes):,}  {some(classes)}" if classes else "none",
        "columns": some(found.columns),
        "split": f"{train:,} to train on, {test:,} to test on ({found.split})",
    }


def some(texts: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f"  and {len(texts) - LISTED:,} more" if len(texts) > LISTED else ""
    return "  ".join(texts[:LISTED]) + more


def form(found: Preview) -> Fields:
    """The choices as they stand, those that can be taken, as a form shows them."""
    keys = {"images": found.image_keys, "labels": found.label_keys}
    values: dict[str, Any] = {"kind": found.kind}
    specs = {"kind": FieldSpec("", "", "")}
    value: Any
    for name, spec in CHOICES.items():
        if (names := keys.get(name)) is not None:
            if len(names) < 2:
                continue
            titles = tuple("none" if key == NONE else key for key in names)
            value, spec = names[0], replace(spec, choices=names, titles=titles)
        else:
            value = getattr(found.reading, name)
            value = round(value, 3) if isinstance(value, float) else value
        alike = {size for size, _ in found.found_sizes} == {found.image_shape[:2]}
        if name == "fit" and alike:
            continue
        if value is None or (name in _OF_SPLIT and found.split == "its own"):
            continue
        values[name], specs[name] = value, spec
    rows = [(name, object, field(value, specs[name])) for name, value in values.items()]
    made = make_dataclass("Choices", rows, bases=(Fields,), frozen=True)
    return cast(Fields, made())


def preview_of(plan: Plan, check: Check) -> Preview:
    """How a plan will look; raises ``DataError`` if none of its samples can be read."""
    rows = [rows for _, rows in plan.parts]
    labels, classes, columns = labels_of(plan, rows)
    total = plan.total
    ends = np.cumsum([len(part) for part in rows])
    samples: list[UInt8] = []
    at: list[int] = []
    for place in spread(total, SAMPLES).tolist():
        number = int(np.searchsorted(ends, place, "right"))
        within = place - int(ends[number] - len(rows[number]))
        some = rows[number][within : within + 1]
        for block, _ in blocks(plan, plan.parts[number][0], some, check):
            samples.append(block[0])
            at.append(place)
    if not samples:
        raise DataError(
            f"{plan.found.name}: none of {SAMPLES} images that were tried can be read; the first: "
            f"{plan.skips.first[0].why if plan.skips.first else 'unknown'}."
        )
    shown = np.stack(samples)
    counts = [] if labels is None else np.bincount(labels, minlength=len(classes)).tolist()
    if plan.own:
        test = sum(len(rows) for part, rows in plan.parts if part.split == "test")
        split = "its own"
    else:
        share = plan.reading.test_share
        test = test_count(counts or [total], share)
        small = any(0 < share * count <= 0.5 for count in counts)
        each = " of each class" if counts else ""
        each = " of the larger classes, at least one image" if small else each
        split = f"{share:.0%}{each}, by seed {plan.reading.seed}"
    likelihood, treatment = suits(shown, fixed=plan.found.fixed)
    reading = plan.reading
    assert reading.range
    return Preview(
        name=plan.found.name,
        kind=plan.found.kind,
        reading=reading,
        counts={"train": total - test, "test": test, "both": total},
        found_sizes=tuple(plan.sizes),
        image_shape=plan.shape,
        range=reading.range,
        classes=dict(zip(classes, counts, strict=True)),
        columns=tuple(columns),
        split=split,
        report=Report(tuple(dict.fromkeys(plan.notes)), tuple(plan.skips.first), plan.skips.count),
        samples=shown,
        sample_labels=tuple("" if labels is None else classes[labels[place]] for place in at),
        likelihood=likelihood,
        treatment=treatment,
        image_keys=plan.found.image_keys,
        label_keys=plan.found.label_keys,
        offers=_offers(shown, plan),
    )


def suits(samples: UInt8, *, fixed: bool = False) -> tuple[str, str]:
    """The likelihood and the treatment that images (k, h, w) or (k, h, w, 3) ask for.

    ``fixed`` if pixels are 0 or 1 as published.
    """
    color = samples.ndim == 4
    if fixed or first_gray(samples) is None:
        return "bernoulli", "fixed"
    if not color and ((samples > 32) & (samples < 224)).mean() < 0.2:
        return "bernoulli", "binarized"
    return ("gaussian" if color else "continuous-bernoulli"), "gray"


def _offers(samples: UInt8, plan: Plan) -> tuple[Offer, ...]:
    offers = []
    if plan.found.transposed:
        why = "EMNIST's files exchange rows and columns; turned, the characters stand upright."
        turned = not plan.reading.transpose
        offers.append(Offer("transpose", turned, why, samples.swapaxes(1, 2)))
    if not plan.color and min(samples.shape[1:3]) > 2:
        edge = float(np.median(border(samples)))
        if edge > 140 and samples.mean() < edge - 8:
            why = "The images seem to be dark on light; models of ink on black train better."
            offers.append(Offer("invert", not plan.reading.invert, why, 255 - samples))
    return tuple(offers)
