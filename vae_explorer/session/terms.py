"""The terms of the field: what each says in one sentence, and the lesson that teaches it."""

from dataclasses import dataclass

from vae_explorer.training.meaning import MARK


@dataclass(frozen=True)
class Term:
    """A term as it is written, or in other words; ``lesson`` is the name of a lesson's file."""

    name: str
    meaning: str
    lesson: str
    others: tuple[str, ...] = ()

    @property
    def lesson_name(self) -> str:
        """As in "Lesson 4"."""
        return f"Lesson {self.lesson.partition('-')[0]}"


TERMS = (
    Term(
        "ELBO",
        "The evidence lower bound: the expected log-likelihood minus the KL divergence from q(z|x) "
        "to the prior, which is never above log p(x).",
        "4-bound",
        ("Held-out ELBO, in training", "Best ELBO"),
    ),
    Term(
        "log p(x)",
        "The evidence: how probable the model finds an image, with p(x|z) averaged over the prior.",
        "3-sampling",
        ("log p(x), quadrature",),
    ),
    Term(
        "gap",
        "log p(x) − ELBO, which is the KL divergence from q(z|x) to the exact posterior.",
        "4-bound",
        ("Gap: log p(x) − ELBO",),
    ),
    Term(
        "KL",
        "The Kullback–Leibler divergence from q(z|x) to the prior: what the code of an image "
        "costs, in nats.",
        "4-bound",
        ("KL(q(z|x) ‖ p(z))",),
    ),
    Term(
        "log p(x|z)",
        "The log-likelihood: how well the decoder explains an image from a code z.",
        "4-bound",
        ("log-likelihood", "Likelihood"),
    ),
    Term(
        "q(z|x)",
        "The encoder's posterior: the Gaussian over codes z that the encoder gives for an image.",
        "4-bound",
        ("Encoder's posterior", "q mean", "q width"),
    ),
    Term(
        "posterior",
        "p(z|x): the codes z that explain an image, each as probable as it explains it well; "
        "q(z|x) approximates it.",
        "4-bound",
        ("Exact posterior",),
    ),
    Term(
        "refined posterior",
        "The best Gaussian for one image, found by climbing the ELBO from the encoder's q(z|x); "
        "what it gains is the amortisation gap.",
        "4-bound",
    ),
    Term(
        "prior",
        "p(z) = N(0, I): the distribution of codes before any image is seen, and the one that new "
        "images are sampled from.",
        "2-pushforward",
    ),
    Term(
        "IWAE-k",
        "The importance-weighted bound: the log of a mean over k samples of p(x, z) / q(z|x), "
        "which approaches log p(x) as k grows.",
        "5-tighter",
        ("iwae", "iwae-dreg"),
    ),
    Term(
        "objective",
        "What training climbs: the ELBO, a tighter bound of k samples (IWAE-k), or log p(x).",
        "5-tighter",
    ),
    Term(
        "samples",
        "Values of z sampled from q(z|x) as μ + L ε, so that the gradient passes through them.",
        "6-reparameterisation",
    ),
    Term(
        "active units",
        "The latent dimensions that the codes use; in one that has collapsed, q(z|x) is the prior "
        "for every image.",
        "7-trade",
        ("Units",),
    ),
    Term(
        "β",
        "The weight of the KL divergence in the objective: 1 is the ELBO, more makes codes "
        "cheaper, less makes them richer.",
        "7-trade",
        ("beta",),
    ),
    Term(
        "rate–distortion",
        "The rate is the mean KL divergence from q(z|x) to the prior, what a code costs; the "
        "distortion is the mean −log p(x|z), what it leaves unknown: a VAE trades one for the "
        "other.",
        "7-trade",
        ("rate", "distortion"),
    ),
    Term(
        "aggregate posterior",
        "q(z), the mean of q(z|x) over all images; where it leaves a hole, the prior's samples "
        "decode to nothing known.",
        "7-trade",
        ("q(z)", "Density"),
    ),
    Term(
        "class regions",
        "p(y|z), the probability of each class at a position; its entropy, in nats, says how "
        "uncertain it is.",
        "1-functionals",
    ),
    Term(
        "metric",
        "The pull-back metric: how much the picture changes with a step in z, in each direction.",
        "8-geometry",
    ),
    Term(
        "manifold",
        "All that the decoder generates: a curved surface among the images, over the latent plane.",
        "8-geometry",
    ),
    Term(
        "points",
        "The latent code of each image, here by the encoder; PCA and t-SNE make other maps of the "
        "same images.",
        "9-views",
    ),
)

_BY_NAME = {name.casefold(): term for term in TERMS for name in (term.name, *term.others)}
_SIGNS = " =−+"


def term_of(text: str) -> Term | None:
    """The term that a label says, or None.

    Whatever its case, the sign before it and the mark behind it.
    """
    return _BY_NAME.get(text.split(MARK)[0].lstrip(_SIGNS).strip().casefold())


def sign_of(text: str) -> str:
    """What stands before the term, as in "= log-likelihood"."""
    return text[: len(text) - len(text.lstrip(_SIGNS))]
