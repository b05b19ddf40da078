"""Learning-rate schedules as functions of the step, so that a resumed run needs no state."""

import math

from vae_explorer.training.recipe import Recipe


def learning_rate(recipe: Recipe, step: int, total_steps: int) -> float:
    """The learning rate of ``step`` (counted from 0) in a run of ``total_steps``.

    ``cosine`` and ``constant`` start with ``warmup_steps`` of linear rise (at most a tenth of the
    run); then the one falls to zero (Loshchilov & Hutter, arXiv 1608.03983), the other stays.
    ``one-cycle`` has its own start: it rises over the first 30 % and falls to zero (Smith & Topin,
    arXiv 1708.07120).
    """
    peak = recipe.learning_rate
    if recipe.schedule == "one-cycle":
        top = 0.3 * total_steps
        if step < top:
            return peak * (0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * step / top)))
        return peak * 0.5 * (1 + math.cos(math.pi * (step - top) / (total_steps - top)))
    warmup = min(recipe.warmup_steps, total_steps // 10)
    if step < warmup:
        return peak * (step + 1) / warmup
    if recipe.schedule == "constant":
        return peak
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total_steps - warmup)))
