from vae_explorer.gui.widgets.number_format import figure, pair


def test_figure_has_a_true_minus_and_no_negative_zero() -> None:
    assert figure(-131.24, 1) == "−131.2"
    assert figure(7.06, 1) == "7.1"
    assert figure(-0.0004, 3) == "0.000"


def test_pair() -> None:
    assert pair((0.123, -1.25)) == "(0.123, −1.250)"
