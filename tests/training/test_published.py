import pytest

from vae_explorer.data.treatment import TREATMENTS
from vae_explorer.training.published import PUBLISHED


def test_every_row_is_of_a_known_treatment() -> None:
    assert {row.treatment for row in PUBLISHED} <= set(TREATMENTS)


def test_the_terms_make_up_the_bound_and_it_lies_below_what_it_bounds() -> None:
    whole = [row for row in PUBLISHED if row.elbo is not None]
    assert len(whole) == 2
    for row in whole:
        assert row.elbo is not None
        assert row.log_likelihood is not None
        assert row.kl is not None
        assert row.elbo < row.log_marginal
        assert row.log_likelihood - row.kl == pytest.approx(row.elbo, abs=0.02)
