from vae_explorer.data.treatment import TREATMENTS
from vae_explorer.training.published import PUBLISHED


def test_every_row_names_its_source_and_data() -> None:
    for row in PUBLISHED:
        assert "arXiv" in row.source
        assert row.treatment in TREATMENTS
        assert row.samples > 0


def test_bounds_lie_below_what_they_bound() -> None:
    for row in PUBLISHED:
        if row.elbo is not None and row.log_likelihood is not None and row.kl is not None:
            assert row.elbo < row.log_marginal
            assert abs(row.log_likelihood - row.kl - row.elbo) < 0.02
