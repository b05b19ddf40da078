import pytest

from vae_explorer.number_format import figure, pair, parse_number


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


WRITTEN: dict[str, tuple[float | None, float | None]] = {
    # text: (a number, a whole number); None where it is not understood
    "0.25": (0.25, None), "0,5": (0.5, None), ",5": (0.5, None), "12": (12, 12), "+3": (3, 3),
    "-2": (-2, -2), "−2.5": (-2.5, None), "–3": (-3, -3), "１２": (12, 12), "1e-3": (1e-3, None),
    "12,5e-3": (0.0125, None), "1,234,567": (1234567, 1234567), "1.234,5": (1234.5, None),
    "1,234.5": (1234.5, None), "1 000": (1000, 1000), "1\u00a0000": (1000, 1000),
    "1’000": (1000, 1000), "1.125": (1.125, None), "1,125": (None, 1125), "0,125": (0.125, None),
    "": (None, None), "abc": (None, None), "nan": (None, None), "inf": (None, None),
    "1e999": (None, None), "1.2.3": (None, None), "1 2": (None, None), "--1": (None, None),
    "0x10": (None, None), "1_000": (None, None), "1,2,3": (None, None), "-": (None, None),
}  # fmt: skip


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("text", WRITTEN)
def test_a_number_of_any_country_is_read_or_refused(text: str, whole: bool) -> None:
    value = WRITTEN[text][whole]
    if value is None:
        with pytest.raises(ValueError, match="“.*”"):
            parse_number(text, whole)
    else:
        assert parse_number(text, whole) == value
        assert parse_number(figure(value, ".15g")) == value


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("1,500", ",", 1.5),
        ("1,500", ".", 1500),
        ("1.500", ",", 1500),
        ("1.500", ".", 1.5),
        ("1.234,5", ",", 1234.5),
        ("1.234,5", ".", None),
        ("3.14", ",", None),
        ("1,234,567", ".", 1234567),
        ("1,234,567", ",", None),
        ("1.234,567,8", ",", None),
        ("−0,5", ",", -0.5),
    ],
)
def test_where_the_decimal_sign_is_known_no_number_is_two(
    text: str, decimal: str, value: float | None
) -> None:
    if value is None:
        with pytest.raises(ValueError, match="is not a number"):
            parse_number(text, decimal=decimal)
    else:
        assert parse_number(text, decimal=decimal) == value
