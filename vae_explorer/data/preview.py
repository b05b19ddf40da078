"""What is seen of images before they are trained on."""

from collections.abc import Mapping
from dataclasses import dataclass

from vae_explorer.data.reading import Reading, Report
from vae_explorer.types import Brief, Split, UInt8

SAMPLES = 24


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
    image_shape: tuple[int, ...]
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
