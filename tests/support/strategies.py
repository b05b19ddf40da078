"""What hypothesis draws from in several tests."""

from hypothesis import strategies as st

from vae_explorer.session.map.layers import LAYERS, LayerSpec, LayerState

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
plain_values = st.recursive(
    st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
"""Whatever a file may hold."""


def _states(spec: LayerSpec) -> st.SearchStrategy[LayerState]:
    options = {choice.id: [value for value, _ in choice.options] for choice in spec.choices}
    chosen = st.fixed_dictionaries(
        {name: st.sampled_from(values) for name, values in options.items()}
    )
    return st.builds(LayerState, st.just(spec.id), st.booleans(), st.floats(0, 1), chosen)


layer_states = st.lists(
    st.sampled_from(LAYERS).flatmap(_states), max_size=len(LAYERS), unique_by=lambda state: state.id
).map(tuple)
"""How some layers are shown, in any order."""
