"""Sizes of figures, in millimetres and in pixels, and what is refused."""

import pytest

from vae_explorer.errors import ExportError
from vae_explorer.export.figure import FigureStyle


@pytest.mark.parametrize(
    ("style", "pixels"),
    [
        (FigureStyle(), (1890, 1299)),
        (FigureStyle(width=85.0, height=60.0), (1004, 709)),
        (FigureStyle(width=85.0, height=60.0, dpi=72), (241, 170)),
        (FigureStyle(unit="px", width=1280.0, height=800.0), (1280, 800)),
        (FigureStyle(unit="px", width=1280.0, height=800.0, dpi=72), (1280, 800)),
    ],
)
def test_a_size_in_either_unit_is_one_in_pixels(
    style: FigureStyle, pixels: tuple[int, int]
) -> None:
    assert style.pixels == pixels
    assert [side * style.dpi / 72 for side in style.points] == pytest.approx(pixels, abs=0.5)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"width": 5.0}, "'width' is 5.0; it must lie between 20.0 and 1,000.0 mm"),
        (
            {"unit": "px", "width": 85.0},
            "'width' is 85.0; it must lie between 100.0 and 20,000.0 px",
        ),
        ({"unit": "cm"}, "choose one of mm, px"),
        ({"dpi": 5}, "'dpi' is 5; it must lie between 50 and 1,200 dpi"),
        ({"width": 900.0, "height": 900.0, "dpi": 600}, "21,260 × 21,260 pixels; choose a smaller"),
        ({"widht": 900.0}, "did you mean 'width'"),
    ],
)
def test_a_style_that_cannot_be_is_told(values: dict[str, object], told: str) -> None:
    with pytest.raises(ExportError, match=told):
        FigureStyle.from_dict(values)
