import pytest

from vae_explorer.number_format import figure, pair


@pytest.mark.parametrize(
    ("value", "form", "written"),
    [
        (-131.24, 1, "−131.2"),
        (7.06, 1, "7.1"),
        (-0.0004, 3, "0.000"),
        (1.5e-7, ".3g", "1.5e−07"),
        (2.0, ".0f", "2"),
        (None, 2, "—"),
    ],
)
def test_figure_has_a_true_minus_and_no_negative_zero(
    value: float | None, form: int | str, written: str
) -> None:
    assert figure(value, form) == written


def test_figure_has_its_unit_unless_there_is_none() -> None:
    assert figure(-2, 1, "nats") == "−2.0 nats"
    assert figure(None, 1, "nats", none="") == ""


def test_pair() -> None:
    assert pair((0.123, -1.25)) == "(0.123, −1.250)"
    assert pair((0.123, -1.25), 2) == "(0.12, −1.25)"
