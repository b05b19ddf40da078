"""One real training step, taken apart: what went in, what came out of each stage."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vae_explorer.model.gaussian import Gaussian
from vae_explorer.training.objective import effective_beta
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import StepMetrics, Trainer
from vae_explorer.types import Float32


@dataclass(frozen=True)
class LayerGradient:
    """A layer in one step: the norms of its gradient, after clipping, and of its change."""

    name: str
    gradient_norm: float
    update_norm: float


@dataclass(frozen=True, eq=False)
class StepAnatomy:
    """A step of the trainer, stage by stage, of the first n images of its minibatch.

    ``x`` (n, h, w) are the images after the data treatment, as the encoder saw them; ``mean``
    (n, 2) and ``covariance`` (n, 2, 2) its q(z|x); ``z`` (n, 2) the first draw of each;
    ``decoded`` (n, h, w) its E[x|z]. ``log_likelihood`` and ``kl`` (n,), nats, are the terms, and
    ``elbo`` the mean of their difference over the whole batch of ``batch`` images (and over all
    draws). The ``recipe``'s objective had the mean ``value`` over the same, and the KL the weight
    ``beta``. ``gradient_norm`` is that of all ``layers``, which are from the image to the image.
    The step was taken with ``learning_rate`` and led to ``step``. ``report`` is what was due after
    it, if anything.
    """

    step: int
    batch: int
    x: Float32
    mean: Float32
    covariance: Float32
    z: Float32
    decoded: Float32
    log_likelihood: Float32
    kl: Float32
    elbo: float
    value: float
    recipe: Recipe
    beta: float
    learning_rate: float
    gradient_norm: float
    layers: tuple[LayerGradient, ...]
    report: StepMetrics | None


def dissect(trainer: Trainer, images: int = 8) -> StepAnatomy:
    """Take the trainer's next step and tell what happened in it; the step is the usual one.

    Args:
        trainer: one that is not finished.
        images: n, at most so many.

    Raises:
        DivergedError: as ``Trainer.take_step``.
    """
    vae, epoch = trainer.vae, trainer.epoch
    taps = encoded, decoded, rated = _Tap(vae.encoder), _Tap(vae.decoder), _Tap(vae.likelihood)
    gradients: dict[str, float] = {}

    def before_update() -> None:
        for tap in taps:  # held-out images may follow
            tap.handle.remove()
        gradients.update(_norms({name: p.grad for name, p in vae.named_parameters()}))

    before = {name: p.detach().clone() for name, p in vae.named_parameters()}
    try:
        report = trainer.take_step(before_update)
    finally:
        for tap in taps:
            tap.handle.remove()
    updates = _norms({name: p.detach() - before[name] for name, p in vae.named_parameters()})
    with torch.no_grad():
        (x,), (z,) = encoded.inputs, decoded.inputs
        posterior = Gaussian.from_outputs(encoded.output)
        log_likelihood, kl = rated.output, posterior.kl()
        shape = (-1, *vae.architecture.image_shape)
        few = slice(0, images)
        return StepAnatomy(
            step=trainer.step,
            batch=len(x),
            x=_array(x[few].view(shape)),
            mean=_array(posterior.mean[few]),
            covariance=_array(posterior.covariance()[few]),
            z=_array(z[: len(x)][few]),
            decoded=_array(vae.likelihood.mean(rated.inputs[1][0, few]).clamp(0, 1).view(shape)),
            log_likelihood=_array(log_likelihood[0, few]),
            kl=_array(kl[few]),
            elbo=(log_likelihood.mean(0) - kl).mean().item(),
            value=trainer.value.item(),
            recipe=trainer.recipe,
            beta=effective_beta(trainer.recipe, epoch),
            learning_rate=trainer.rate,
            gradient_norm=math.hypot(*gradients.values()),
            layers=tuple(LayerGradient(name, gradients[name], updates[name]) for name in updates),
            report=report,
        )


class _Tap:
    """Keeps what goes into and comes out of a module at its last call."""

    def __init__(self, module: nn.Module) -> None:
        self.handle = module.register_forward_hook(self._keep)

    def _keep(self, _: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self.inputs = [tensor.detach().float() for tensor in inputs]
        self.output = output.detach().float()


def _norms(tensors: dict[str, Tensor | None]) -> dict[str, float]:
    """The norm of each layer's tensors together; of none, 0."""
    norms: dict[str, float] = {}
    for name, tensor in tensors.items():
        layer = name.rpartition(".")[0] or name
        own = 0.0 if tensor is None else tensor.norm().item()
        norms[layer] = math.hypot(norms.get(layer, 0.0), own)
    return norms


def _array(tensor: Tensor) -> Float32:
    array: Float32 = tensor.cpu().numpy()
    return array
