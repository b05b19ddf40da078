import math

import numpy as np
import pytest

from vae_explorer.gui.widgets.number_format import figure, pair, posterior_widths


def test_figure_has_a_true_minus_and_no_negative_zero() -> None:
    assert figure(-131.24, 1) == "−131.2"
    assert figure(7.06, 1) == "7.1"
    assert figure(-0.0004, 3) == "0.000"


def test_pair() -> None:
    assert pair((0.123, -1.25)) == "(0.123, −1.250)"


def test_posterior_widths_are_those_of_the_ellipse() -> None:
    angle = 0.7
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    covariance = (turn @ np.diag([0.04**2, 0.02**2]) @ turn.T).astype(np.float32)
    assert posterior_widths(covariance) == pytest.approx((0.04, 0.02), rel=1e-5)


def test_posterior_widths_of_a_line_are_not_imaginary() -> None:
    covariance = np.array([[0.1, 0.3], [0.3, 0.9]], dtype=np.float32)
    wide, narrow = posterior_widths(covariance)
    assert wide == pytest.approx(1.0)
    assert narrow == pytest.approx(0.0, abs=1e-3)
