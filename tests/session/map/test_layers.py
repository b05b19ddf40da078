"""The table of layers."""

from vae_explorer.session.map.layer_contents import LAYER_CONTENTS
from vae_explorer.session.map.layers import LAYERS, default_state


def test_all_layers_but_three_are_drawn_of_a_scene() -> None:
    assert {spec.id for spec in LAYERS} == LAYER_CONTENTS.keys() | {"points", "path", "refined"}
    assert len({spec.id for spec in LAYERS}) == len(LAYERS)


def test_a_layer_starts_with_the_first_of_each_choice() -> None:
    for spec in LAYERS:
        state = default_state(spec)
        assert (state.id, state.on, state.opacity) == (spec.id, spec.on, spec.opacity)
        assert state.chosen == {choice.id: choice.options[0][0] for choice in spec.choices}
    assert [spec.id for spec in LAYERS if spec.on] == ["path", "refined", "ellipses", "points"]
