"""What can be asked of the exporters: one frozen class a kind of export, without torch.

Its fields are the controls of the dialog, the options of ``vae-explorer export KIND``, the JSON in
the file and the arguments of ``vae_explorer.export``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from vae_explorer.errors import ExportError
from vae_explorer.fields import Fields, FieldSpec, Value, field
from vae_explorer.types import ImageShape

LARGEST_SIDE = 8_192
"""Most pixels along one side of an exported picture."""
PLANE = 8.5
"""Latent units from 0, within which points may be asked for: the map, however it is turned."""

_SMALL = 240  # pixels a side of a preview, as far as enlarging them goes


@dataclass(frozen=True)
class Request(Fields):
    """What every request can say of itself."""

    kind: ClassVar[str] = "Option"
    error: ClassVar[type[ExportError]] = ExportError
    turned: ClassVar[bool] = True
    """Whether the file depends on how the plane is turned."""

    def size(self, shape: ImageShape) -> str:
        """How large the file will be, for people; "" if that is not known before.

        ``shape`` is that of the model's images.
        """
        return ""

    @property
    def stem(self) -> str:
        """The default name of a file, of letters, digits, ``_`` and ``-`` alone, for LaTeX."""
        return type(self).__name__.lower()

    @property
    def inside(self) -> str:
        """What there is in a file that cannot be shown as a picture or a table."""
        return ""

    def small(self, shape: ImageShape) -> "Request":
        """The same for a preview, made in a moment."""
        return self


def asked(default: Value, label: str, about: str, **more: Any) -> Any:
    """A field of a request; ``more`` is of its ``FieldSpec``. Without a label it has no control."""
    return field(default, FieldSpec("", label, about, **more))


def points(about: str) -> Any:
    """A field of latent points in one list: z₁, z₂, z₁, z₂, and so on."""
    return asked(None, "", about, low=-PLANE, high=PLANE)


def paired(z: tuple[float, ...] | None, least: int, needs: str) -> list[tuple[float, float]]:
    """The latent points of a field of ``points``.

    Raises:
        ExportError: they are fewer than ``least``, or the last has no z₂; the message begins by
            ``needs``.
    """
    numbers = z or ()
    if len(numbers) < 2 * least or len(numbers) % 2:
        raise ExportError(f"{needs}: z1 and z2 of each.")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _scale(default: int) -> Any:
    return asked(default, "Scale", "Size of a pixel.", unit="×", low=1, high=400, step=1)


def _gap() -> Any:
    return asked(0, "Gap", "Pixels between the images.", unit="px", high=64, step=1, lowest="none")


def _labels() -> Any:
    about = "Height of the labels at the edges, in pixels."
    return asked(0, "Labels", about, unit="px", high=96, step=1, lowest="none")


def _ground() -> Any:
    about = "Of the gap between the images, and behind the labels."
    return asked("white", "Gap colour", about, choices=("white", "black", "transparent"))


@dataclass(frozen=True)
class Tiled(Request):
    """Images in rows and columns, each pixel drawn ``scale`` × ``scale``."""

    def grid(self) -> tuple[int, int]:
        """Rows and columns of images."""
        raise NotImplementedError

    @property
    def between(self) -> int:
        """Pixels between the images."""
        return int(getattr(self, "gap", 0))

    def sides(self, shape: ImageShape) -> tuple[int, int]:
        """Width and height without labels, pixels."""
        rows, columns = self.grid()
        scale: int = getattr(self, "scale")  # noqa: B009
        height, width = (side * scale for side in shape[:2])
        between = self.between
        return columns * (width + between) - between, rows * (height + between) - between

    @override
    def size(self, shape: ImageShape) -> str:
        width, height = self.sides(shape)
        return f"{width:,} × {height:,} pixels"

    @override
    def small(self, shape: ImageShape) -> "Request":
        largest = max(self.sides(shape))
        scale: int = getattr(self, "scale")  # noqa: B009
        return self.replace(scale=max(1, scale * _SMALL // largest)) if largest > _SMALL else self


@dataclass(frozen=True)
class Digit(Tiled):
    """One decoded latent point, as the checkpoint has it."""

    turned = False

    z: tuple[float, float] = asked(
        (0.0, 0.0), "Position", "The latent point, in latent units.",
        low=-PLANE, high=PLANE, step=0.1,
    )  # fmt: skip
    scale: int = _scale(10)

    @override
    def grid(self) -> tuple[int, int]:
        return 1, 1

    @property
    @override
    def stem(self) -> str:
        return f"digit_z_{_for_a_name(self.z[0])}_{_for_a_name(self.z[1])}"


@dataclass(frozen=True)
class Manifold(Tiled):
    """A sheet of n × n decoded latent points: z₁ grows rightwards, z₂ upwards.

    ``spacing`` is "quantile" (equal prior mass) or "linear" over ±``extent`` latent units.
    """

    n: int = asked(20, "Grid", "Images per side.", unit="per side", low=1, high=200, step=1)
    spacing: str = asked(
        "quantile", "Spacing", "Equal prior mass between latent points, or equal distance.",
        choices=("quantile", "linear"),
        titles=("Quantiles of the prior (equal mass)", "Even steps over a range"),
    )  # fmt: skip
    extent: float = asked(
        3.0, "Range ±", "Half the side of the sheet, latent units, with linear spacing.",
        low=0.01, high=6, step=0.5, needs=("spacing", ("linear",)),
    )  # fmt: skip
    scale: int = _scale(1)
    gap: int = _gap()
    labels: int = _labels()
    ground: str = _ground()

    @override
    def grid(self) -> tuple[int, int]:
        return self.n, self.n

    @property
    @override
    def stem(self) -> str:
        return f"manifold_{self.n}x{self.n}"


@dataclass(frozen=True)
class Strip(Tiled):
    """Decoded latent points along a path, side by side.

    ``z`` has z₁ and z₂ of each in turn, as the checkpoint has them; ``columns`` are those of a
    row, 0 for all.
    """

    turned = False

    z: tuple[float, ...] | None = points("The latent points, in latent units.")
    columns: int = asked(0, "Columns", "Images in a row.", high=200, step=1, lowest="all")
    scale: int = _scale(4)
    gap: int = _gap()
    labels: int = _labels()
    ground: str = _ground()

    @property
    def places(self) -> list[tuple[float, float]]:
        """The latent points.

        Raises:
            ExportError: there are none.
        """
        return paired(self.z, 1, "A path needs latent points")

    @override
    def grid(self) -> tuple[int, int]:
        n = len(self.places)
        columns = min(self.columns or n, n)
        return -(-n // columns), columns


@dataclass(frozen=True)
class Images(Tiled):
    """Images of the data in a row, and below them what the model makes of them."""

    turned = False

    split: str = asked("test", "Split", "Of the data.", choices=("test", "train"))
    indices: str = asked("0-9", "Indices", "Of the images, such as 3-5,9, counted from 0.")
    show: str = asked(
        "both", "Show", "The images, their reconstructions, or a row of each.",
        choices=("both", "images", "reconstructions"),
    )  # fmt: skip
    scale: int = _scale(4)
    gap: int = _gap()
    labels: int = _labels()
    ground: str = _ground()

    @property
    def rows(self) -> list[int]:
        """The indices, in the order in which they are given, as ``listed``."""
        return listed(self.indices, LARGEST_SIDE)

    @override
    def grid(self) -> tuple[int, int]:
        return 1 + (self.show == "both"), len(self.rows)


@dataclass(frozen=True)
class Page(Request):
    """A model as one HTML page, with test images on its map and a manifold of n × n images."""

    title: str = asked(
        "", "Title", "Over the page; by default it names the model or its data.",
        lowest="of the model or its data",
    )  # fmt: skip
    credit: str = asked(
        "",
        "Credit",
        "Whose data it is, and its licence; MNIST and the like are known.",
        lowest="if that is known",
    )
    points: int = asked(
        4_000, "Points", "Test images on the map.", unit="images", low=100, high=20_000, step=1_000
    )
    n: int = asked(20, "Manifold", "Images per side.", unit="per side", low=2, high=50, step=1)

    @property
    @override
    def inside(self) -> str:
        return (
            f"Decoder, map of {self.points:,} test images, and manifold of {self.n} × {self.n}. "
            "Works offline."
        )


def listed(text: str, most: int) -> list[int]:
    """The numbers of a text such as 3-5,9, at most ``most`` + 1 of a part; else an ExportError."""
    found: list[int] = []
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal() and len(part) < 20):
            raise ExportError(
                f"The indices of the images are “{text}”; give whole numbers such as 3-5,9."
            )
        found += range(int(first), min(int(last or first), int(first) + most) + 1)
    if not found:
        raise ExportError(f"The indices of the images are “{text}”, which are none.")
    return found


def _for_a_name(value: float) -> str:
    """A number without a dot or a sign: −1.3 is m1p30."""
    return f"{value:.2f}".replace("-", "m").replace(".", "p")


def given(request: Request) -> Mapping[str, Any]:
    """The fields that are not as they are by default."""
    usual = type(request)().to_dict()
    return {name: value for name, value in request.to_dict().items() if value != usual[name]}
