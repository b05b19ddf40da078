import numpy as np
import pytest
from PySide6.QtGui import QImage

from vae_explorer.gui.explore.sketch.strokes import SIDE, Picture, Sample, Stroke, draw_end, inked
from vae_explorer.types import UInt8


def pixels(ink: QImage) -> UInt8:
    return np.frombuffer(ink.constBits(), np.uint8).reshape(SIDE, SIDE).copy()


def wave(n: int = 30) -> list[Sample]:
    x = np.linspace(0.2, 0.8, n)
    y = 0.5 + 0.2 * np.sin(9 * x)
    return [Sample(*at, 0.05) for at in zip(x.tolist(), y.tolist(), strict=True)]


def test_a_line_drawn_piece_by_piece_lacks_only_its_end() -> None:
    samples, growing, ink = wave(), Stroke([], False), inked(())
    for sample in samples:
        growing.samples.append(sample)
        draw_end(ink, growing)
    whole, drawn = pixels(inked((growing,))), pixels(ink)
    rows, columns = np.nonzero(whole != drawn)
    end = samples[-1].pixel()
    assert len(rows)
    assert np.hypot(rows - end.y(), columns - end.x()).max() < 0.06 * SIDE


@pytest.mark.parametrize(("height", "width"), [(28, 28), (10, 40), (40, 10)])
def test_a_picture_is_as_large_as_fits_in_the_middle(height: int, width: int) -> None:
    image = QImage(width, height, QImage.Format.Format_Grayscale8)
    image.fill(255)
    rows, columns = np.nonzero(pixels(inked((Picture(image),))))
    scale = SIDE / max(height, width)
    assert np.ptp(rows) + 1 == pytest.approx(scale * height, abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(scale * width, abs=1)
    assert rows.min() + rows.max() == pytest.approx(SIDE - 1, abs=1)


def test_marks_lie_over_those_before() -> None:
    line = wave()
    assert not pixels(inked((Stroke(line, False), Stroke(line, True)))).max() > 128
    assert pixels(inked((Stroke(line, True), Stroke(line, False)))).max() == 255
    assert not pixels(inked(())).any()
