from dataclasses import dataclass
from typing import Any

import pytest

from vae_explorer.errors import UserError
from vae_explorer.fields import Fields, FieldSpec, field


class TuneError(UserError):
    pass


@dataclass(frozen=True)
class Tune(Fields):
    kind = "Setting"
    error = TuneError

    loud: bool = field(False, FieldSpec("", "Loud", "Louder."))
    beats: int = field(4, FieldSpec("", "Beats", "In a bar.", "beats", 1, 9))
    speed: int = field(60, FieldSpec("", "Speed", "Beats a minute.", choices=(60, 90)))
    key: str = field("C", FieldSpec("", "Key", "Of the tune."))
    position: tuple[float, float] = field((0.0, 0.0), FieldSpec("", "Position", "", "", -2, 2))
    pair: tuple[int, int] = field((1, 2), FieldSpec("", "Pair", "", "", 1, 6))
    notes: tuple[float, ...] | None = field(None, FieldSpec("", "Notes", "", "", 0, 1))
    echo: float | None = field(
        None, FieldSpec("", "Echo", "", choices=(0.5, 1.0), needs=("loud", (True,)))
    )

    def spec(self, name: str) -> FieldSpec:
        if name == "position" and self.loud:
            return FieldSpec("", "Position", "", "", -1, 1)
        return super().spec(name)


def test_values_are_taken_in_the_type_of_their_field() -> None:
    tune = Tune.from_dict({"position": [1, 2.0], "pair": [2, 5], "notes": [0, 1, 0.5], "echo": 1})
    assert tune.position == (1.0, 2.0)
    assert tune.pair == (2, 5)
    assert tune.notes == (0.0, 1.0, 0.5)
    assert (tune.echo, type(tune.echo)) == (1.0, float)
    assert Tune.from_dict(tune.to_dict()) == tune
    assert tune.replace(loud=True, position=(0, 1)).beats == 4


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"loud": 1}, "it must be true or false"),
        ({"beats": True}, "it must be a whole number"),
        ({"beats": 10}, "'beats' is 10; it must lie between 1 and 9 beats."),
        ({"speed": 61}, "choose one of 60, 90"),
        ({"speed": True}, "choose one of 60, 90"),
        ({"key": 3}, "it must be a text"),
        ({"position": [1.0]}, "it must be a list of 2 numbers from -2 to 2"),
        ({"position": [1.0, "2"]}, "it must be a list of 2 numbers"),
        ({"position": [1.0, 3.0]}, "it must be a list of 2 numbers"),
        ({"position": [1.0, float("nan")]}, "it must be a list of 2 numbers"),
        ({"position": [0, 1.5], "loud": True}, "from -1 to 1"),
        ({"pair": [1, 2.5]}, "it must be a list of 2 whole numbers"),
        ({"notes": [1]}, "it must be a list of two or more numbers"),
        ({"notes": [1, -1]}, "from 0 to 1"),
        ({"echo": 2}, "choose one of 0.5, 1.0"),
        ({"beat": 3}, "Unknown setting 'beat'; did you mean 'beats'?"),
        ({"zzz": 3}, "Unknown setting 'zzz'; known: loud, beats"),
    ],
)
def test_bad_values_are_refused_by_name(bad: dict[str, Any], says: str) -> None:
    with pytest.raises(TuneError) as caught:
        Tune.from_dict(bad, "tune.toml")
    assert str(caught.value).startswith("tune.toml: ")
    assert says in str(caught.value)


def test_a_field_may_matter_only_beside_others() -> None:
    echo = Tune.specs()["echo"]
    assert not echo.applies(Tune())
    assert echo.applies(Tune(loud=True))
    assert Tune.specs()["beats"].applies(Tune())
