"""A VAE trained as PyTorch's own example of one does it, for training to be measured against.

See https://github.com/pytorch/examples/blob/main/vae/main.py; the network is given.
"""

from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from vae_explorer.data.dataset import ImageSet
from vae_explorer.model.vae import VAE


class Pictures(Dataset[Tensor]):
    """Each image as a Pillow image made a tensor (1, h, w) in [0, 1], when it is asked for.

    That is what torchvision's MNIST with its ToTensor does.
    """

    def __init__(self, data: ImageSet) -> None:
        self._images = torch.from_numpy(np.array(data.images))

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Tensor:
        picture = Image.fromarray(self._images[index].numpy())
        pixels = torch.from_numpy(np.array(picture)).view(picture.height, picture.width, 1)
        return pixels.permute(2, 0, 1).contiguous().float().div(255)


def loaded_batches(data: ImageSet, size: int, seed: int) -> Iterator[Tensor]:
    """Batches (size, pixels) of intensities without end, shuffled by PyTorch's data loader."""
    generator = torch.Generator().manual_seed(seed)
    loader = DataLoader(Pictures(data), size, shuffle=True, generator=generator)
    while True:
        for images in loader:
            yield images.flatten(1)


def indexed_batches(data: ImageSet, size: int, seed: int, device: torch.device) -> Iterator[Tensor]:
    """The same from one float tensor on the device."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.from_numpy(np.array(data.images)).flatten(1).float().div(255).to(device)
    while True:
        order = torch.randperm(len(images), generator=generator).to(device)
        for chosen in torch.split(order, size):
            yield images[chosen]


def training_losses(vae: VAE, batches: Iterator[Tensor], seed: int) -> Iterator[float]:
    """Train on batches (n, pixels) of intensities, binarized afresh; minus each one's ELBO, nats.

    A figure sums over the images of its batch.
    """
    device = next(vae.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    optimizer = torch.optim.Adam(vae.parameters(), lr=1e-3)
    for batch in batches:
        x = torch.bernoulli(batch.to(device), generator=generator)
        optimizer.zero_grad()
        noise = torch.randn(len(x), 2, device=device, generator=generator)
        loss = negative_elbo(vae, x, noise)
        torch.autograd.backward(loss)
        optimizer.step()
        yield loss.item()


def negative_elbo(vae: VAE, x: Tensor, noise: Tensor) -> Tensor:
    """Minus the ELBO of x (n, pixels), summed over images, in nats; ``noise`` (n, 2) is ε."""
    posterior = vae.posterior(x)
    pixels = torch.sigmoid(vae.outputs(posterior.transform(noise)))
    cross_entropy = functional.binary_cross_entropy(pixels, x, reduction="sum")
    return cross_entropy + posterior.kl().sum()
