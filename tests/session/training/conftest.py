import pytest

from tests.support.stand_ins import Clock
from vae_explorer.session.training import worker


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The worker's time."""
    clock = Clock(tick=0.002)
    monkeypatch.setattr(worker, "time", clock)
    return clock
