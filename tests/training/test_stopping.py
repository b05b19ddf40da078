import pytest

from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.stopping import StopRule


def _history(*elbos: float | None) -> list[HistoryPoint]:
    return [
        HistoryPoint(epoch, -2.0, -1.0, 1.0, -2.0, held_out_elbo=elbo)
        for epoch, elbo in enumerate(elbos, 1)
    ]


def test_without_a_rule_a_run_goes_on() -> None:
    assert StopRule().reason(1e6, 1e9, _history(-150, *[-160.0] * 50)) == ""


@pytest.mark.parametrize(
    ("rule", "epoch", "seconds", "reason"),
    [
        (StopRule(epoch=2.5), 2.49, 0, ""),
        (StopRule(epoch=2.5), 2.5, 0, "epoch 2.5 is reached"),
        (StopRule(seconds=60), 9, 59.9, ""),
        (StopRule(seconds=60), 9, 60.0, "60 seconds are over"),
        (StopRule(epoch=1, seconds=60), 1, 60, "epoch 1 is reached"),
        (StopRule(epoch=9, seconds=60), 1, 60, "60 seconds are over"),
    ],
)
def test_an_end_in_time(rule: StopRule, epoch: float, seconds: float, reason: str) -> None:
    assert rule.reason(epoch, seconds, []) == reason


@pytest.mark.parametrize(
    ("history", "ends"),
    [
        ([], False),
        (_history(None, None), False),
        (_history(-151, -150.01, None), False),
        (_history(-151, -150), True),
        (_history(-151, -149, None), True),  # a report since
        (_history(-149, -151), False),  # it was, and is no more
    ],
)
def test_an_elbo_that_is_good_enough(history: list[HistoryPoint], ends: bool) -> None:
    reason = StopRule(elbo=-150).reason(9, 9, history)
    assert reason == ("the held-out ELBO has reached -150 nats" if ends else "")


@pytest.mark.parametrize(
    ("elbos", "ends"),
    [
        ([-150, -150], False),  # not yet three epochs since the first
        ([-150, -150, -150], False),
        ([-150, -150, -150, -150], True),
        ([-150, -150, -149.95, -149.91], True),  # by too little
        ([-150, -150, -149.89, -150], False),
        ([-150, -149.89, -150, -150], False),
        ([-150, -149.89, -150, -150, -150], True),
        ([-150, -160, -155, -151], True),  # rising again, but not above what was
        ([-160, -150, None, None, -150, None, -150, None], False),  # reports between epochs
        ([-150, None, -150, None, -150, None, -150, None], True),
        ([-153, -152, -151, -150], False),
    ],
)
def test_a_plateau(elbos: list[float | None], ends: bool) -> None:
    reason = StopRule(plateau=3).reason(9, 9, _history(*elbos))
    assert reason == ("the held-out ELBO has not risen by 0.1 nats in 3 epochs" if ends else "")


def test_the_least_gain_of_a_plateau() -> None:
    history = _history(-150, -149.5)
    assert StopRule(plateau=1).reason(9, 9, history) == ""
    assert StopRule(plateau=1, least_gain=0.5).reason(9, 9, history)


def test_a_plateau_of_no_epochs_is_no_rule() -> None:
    assert StopRule(plateau=0).reason(9, 9, _history(-150, -150)) == ""
