"""How a figure is to look: its size, scheme, ground and text."""

from dataclasses import dataclass, replace
from typing import ClassVar

from typing_extensions import override

from vae_explorer.errors import ExportError
from vae_explorer.fields import Fields, FieldSpec, field

FONT_PIXELS = 12
"""Of the text in a figure, in pixels of its layout, whose size on paper the style decides."""
MOST_PIXELS = 64_000_000
"""Of a figure; a PNG of more is refused."""
MOST_VECTOR_POINTS = 5_000
"""Of a map that are drawn one by one; of more there is a picture at the figure's dpi."""
_INCH_MM = 25.4
_LIMITS = {"mm": (20.0, 1_000.0), "px": (100.0, 20_000.0)}


@dataclass(frozen=True)
class FigureStyle(Fields):
    """The size of a figure, in millimetres or in pixels of ``dpi``, and how it is painted.

    Raises:
        ExportError: a value is out of its range, or the figure would have too many pixels.
    """

    kind: ClassVar[str] = "Figure style"
    error: ClassVar[type[ExportError]] = ExportError

    unit: str = field(
        "mm",
        FieldSpec(
            "Size",
            "Unit",
            "What width and height are given in. Pixels are those of a PNG at the dpi below.",
            choices=("mm", "px"),
            titles=("millimetres", "pixels"),
        ),
    )
    width: float = field(160.0, FieldSpec("Size", "Width", "How wide all of it is.", "", 20, 1000))
    height: float = field(
        110.0, FieldSpec("Size", "Height", "How high all of it is.", "", 20, 1000)
    )
    dpi: int = field(
        300,
        FieldSpec(
            "Size",
            "Resolution",
            "Pixels an inch: of a PNG, and in an SVG or PDF of maps with more than "
            f"{MOST_VECTOR_POINTS:,} points, which are drawn as a picture.",
            "dpi",
            50,
            1200,
        ),
    )
    text: float = field(
        8.0,
        FieldSpec(
            "Look", "Text size", "Of labels; lines and symbols grow with it.", "points", 4, 32
        ),
    )
    scheme: str = field(
        "light",
        FieldSpec(
            "Look", "Colours", "For a white page or a dark slide.", choices=("light", "dark")
        ),
    )
    transparent: bool = field(
        False, FieldSpec("Look", "Transparent", "Leave out the ground behind the figure.")
    )

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        width, height = self.pixels
        if width * height > MOST_PIXELS:
            raise ExportError(
                f"The figure would have {width:,} × {height:,} pixels; choose a smaller size or "
                f"fewer dpi, for at most {MOST_PIXELS // 1_000_000} million."
            )

    @override
    def spec(self, name: str) -> FieldSpec:
        spec = super().spec(name)
        if name not in ("width", "height"):
            return spec
        low, high = _LIMITS[self.unit]
        return replace(spec, unit=self.unit, low=low, high=high)

    @property
    def points(self) -> tuple[float, float]:
        """Width and height in points, 72 to the inch."""
        inch = _INCH_MM if self.unit == "mm" else self.dpi
        return 72 * self.width / inch, 72 * self.height / inch

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height of a PNG."""
        width, height = (max(round(side * self.dpi / 72), 1) for side in self.points)
        return width, height

    @property
    def pixel(self) -> float:
        """A pixel of the layout, in points."""
        return self.text / FONT_PIXELS

    @property
    def room(self) -> tuple[float, float]:
        """Width and height in pixels of the layout."""
        width, height = self.points
        return width / self.pixel, height / self.pixel
