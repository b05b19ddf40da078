"""What layers of the map are drawn with, in latent units: arrays and their meaning, no pixels."""

from dataclasses import dataclass

from vae_explorer.types import Float32, Float64, Labels, Region


@dataclass(frozen=True, eq=False)
class Field:
    """A scalar over a region: ``values`` (rows, columns) float32 of equal cells that fill it.

    Row 0 is the bottom one, column 0 the left one; NaN is transparent. ``low`` and ``high`` are
    the values at the ends of the colour bar, beyond which values take the colour of the end.
    With ``fading`` the colours grow from transparent at ``low``. ``unit`` belongs to the values.
    """

    region: Region
    values: Float32
    low: float
    high: float
    unit: str
    fading: bool = False


@dataclass(frozen=True, eq=False)
class ClassField:
    """A class over a region, laid out as ``Field``: ``labels`` (rows, columns) uint8.

    ``strength`` (rows, columns) float32 is 0 where nothing is known, which is transparent, and 1
    where there is no doubt.
    """

    region: Region
    labels: Labels
    strength: Float32


@dataclass(frozen=True, eq=False)
class Sheet:
    """Decoded pictures: ``images`` (n, h, w[, 3]) float32 in [0, 1], each in a cell.

    Of gray ones 1 is ink.

    ``cells`` (n, 4) float64 are their ``Region``s. A picture keeps its own proportions, as large
    as its cell allows, in the middle of it.
    """

    cells: Float64
    images: Float32


@dataclass(frozen=True, eq=False)
class Curve:
    """A level line: closed or open ``paths``, each (k, 2) float32, and what to write on them.

    ``share`` from 0 to 1 says how strong the line is among its like; ``text`` may be empty.
    """

    paths: tuple[Float32, ...]
    text: str = ""
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class Ellipses:
    """Ellipses (z − c)ᵀ Σ⁻¹ (z − c) = r² for every centre c and every r of ``radii``.

    ``centres`` is (n, 2), ``covariances`` (n, 2, 2). ``labels`` (n,) uint8, if given, takes the
    classes' colours. ``text`` is written beside each radius, as in "2σ", if ``named``.
    """

    centres: Float32
    covariances: Float32
    radii: tuple[float, ...] = (1.0, 2.0, 3.0)
    labels: Labels | None = None
    named: bool = False


@dataclass(frozen=True, eq=False)
class Spots:
    """Marked positions (n, 2); the first is the most important, ``text`` says what they are."""

    positions: Float32
    text: str = ""


@dataclass(frozen=True, eq=False)
class Trails:
    """Moves of n points: ``start`` and ``end`` (n, 2), ``labels`` (n,) uint8 for the colours."""

    start: Float32
    end: Float32
    labels: Labels


Mark = Field | ClassField | Sheet | Curve | Ellipses | Spots | Trails


@dataclass(frozen=True, eq=False)
class LayerContent:
    """What one layer shows now: ``marks`` from the lowest to the topmost.

    ``note`` is one short line on what exactly is shown, or why nothing is; ``offer`` then the id of
    the command that would change that.
    """

    marks: tuple[Mark, ...] = ()
    note: str = ""
    offer: str = ""
