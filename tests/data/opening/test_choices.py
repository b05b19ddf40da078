"""Choices of reading as a command line writes them, and as a form shows them."""

import pytest

from vae_explorer.data.opening import inspect
from vae_explorer.data.preview import form
from vae_explorer.data.reading import NONE, Reading, parse_choices
from vae_explorer.errors import DataError


def test_choices_are_read_from_text() -> None:
    chosen = parse_choices(["size=64x48", "range=0:16", "fit=crop", "invert=true", "seed=3"])
    assert chosen == Reading(size=(64, 48), range=(0, 16), fit="crop", invert=True, seed=3)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("size", "NAME=VALUE"),
        ("colour=red", "channels"),
        ("fit=bend", "fit"),
        ("invert=2", "invert"),
    ],
)
def test_what_is_no_choice_is_refused(text: str, word: str) -> None:
    with pytest.raises(DataError, match=word):
        parse_choices([text])


def test_a_form_offers_what_the_data_leaves_open() -> None:
    settings = form(inspect("digits"))
    specs = settings.specs()
    assert specs["labels"].choices[-1] == NONE
    assert "fit" not in specs, "all images have one size"
    assert "grid" not in specs
    assert settings.to_dict()["range"] == (0, 16)
