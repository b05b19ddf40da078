import dataclasses

import pytest

from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.snapshot import Snapshot


def test_the_held_out_elbo_is_the_last_one_known(snapshot: Snapshot) -> None:
    assert snapshot.held_out_elbo == snapshot.history[-1].held_out_elbo
    later = HistoryPoint(2.1, -1.0, -0.5, 0.5, -1.0)
    paused = dataclasses.replace(snapshot, history=(*snapshot.history, later))
    assert paused.held_out_elbo == snapshot.held_out_elbo
    assert dataclasses.replace(snapshot, history=(later,)).held_out_elbo is None
    assert dataclasses.replace(snapshot, history=()).held_out_elbo is None


def test_it_is_frozen(snapshot: Snapshot) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        snapshot.__setattr__("epoch", 3.0)
