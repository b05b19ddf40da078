"""The dialog that asks what two ONNX networks do not say of themselves."""

from collections.abc import Mapping

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QLabel, QWidget
from typing_extensions import override

from vae_explorer.gui.dialogs.form import FormDialog
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.session.files.onnx_files import SPREADS, PairChoices, PairLook

_LIKELIHOODS = {
    "Not known: no log p(x)": None,
    "Bernoulli": "bernoulli",
    "Continuous Bernoulli": "continuous-bernoulli",
    "Gaussian": "gaussian",
}
_TREATMENTS = {"Gray levels": "gray", "Drawn black or white": "binarized"}


class OnnxPairDialog(FormDialog):
    """Asks for outputs where names and shapes leave them open, and for the likelihood."""

    def __init__(self, look: PairLook, parent: QWidget) -> None:
        super().__init__("Open ONNX Networks", "Open", parent)
        self._look = look
        outputs, usual = look.outputs, look.usual
        kinds = {kind.capitalize(): kind for kind in SPREADS}
        self._mean = _combo({name: name for name in outputs.means}, usual.mean)
        self._spread = _combo({name: name for name in outputs.means}, usual.spread)
        self._spread_is = _combo(kinds, usual.spread_is)
        self._picture = _combo({name: name for name in outputs.pictures}, usual.picture)
        meanings = {"Pixels from 0 to 1": False} if look.bounded else {}
        self._logits = _combo(meanings | {"Logits": True}, usual.logits)
        self._likelihood = _combo(_LIKELIHOODS, usual.likelihood)
        self._treatment = _combo(_TREATMENTS, usual.treatment)
        self._variance = NumberBox(1e-9, 1e9, 0.01, value=0.1)
        self._likelihood.currentIndexChanged.connect(self._on_likelihood)
        self._on_likelihood()
        asked = {
            "Mean of q(z|x)": None if outputs.mean else self._mean,
            "Its spread": None if outputs.spread else self._spread,
            "The spread is": None if outputs.spread_is else self._spread_is,
            "Decoded image": None if outputs.picture else self._picture,
            "The decoder gives": self._logits,
            "Likelihood p(x|z)": self._likelihood,
            "Variance of a pixel": self._variance,
            "Pixels of the data": self._treatment,
        }
        note = QLabel(
            f"Encoder {look.encoder.name}, decoder {look.decoder.name}. For images of "
            f"{look.data.name} the decoder gives {look.low:.2f} to {look.high:.2f}"
            f"{'.' if look.bounded else ', so these are no pixels from 0 to 1.'}"
        )
        note.setWordWrap(True)
        self.lay_out({label: box for label, box in asked.items() if box}, note)

    @override
    def values(self) -> tuple[PairLook, PairChoices]:
        likelihood = self._likelihood.currentData()
        gaussian = likelihood == "gaussian"
        return self._look, PairChoices(
            mean=self._mean.currentData(),
            spread=self._spread.currentData(),
            spread_is=self._spread_is.currentData(),
            picture=self._picture.currentData(),
            logits=self._logits.currentData() and not gaussian,
            likelihood=likelihood,
            variance=self._variance.value() if gaussian else None,
            treatment=self._treatment.currentData() if likelihood else "gray",
        )

    @Slot()
    def _on_likelihood(self) -> None:
        likelihood = self._likelihood.currentData()
        self._logits.setEnabled(likelihood != "gaussian")
        self._variance.setEnabled(likelihood == "gaussian")
        self._treatment.setEnabled(likelihood is not None)


def _combo(items: Mapping[str, object], chosen: object) -> QComboBox:
    box = QComboBox()
    for text, value in items.items():
        box.addItem(text, value)
    box.setCurrentIndex(box.findData(chosen))
    return box
