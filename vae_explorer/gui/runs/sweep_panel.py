"""The sweep dock: what is varied, the queue, its table and its maps."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from vae_explorer.gui.runs.sweep_maps import SweepMaps
from vae_explorer.gui.theme import MARGIN
from vae_explorer.gui.widgets.empty_state import EmptyState
from vae_explorer.gui.widgets.rows import row
from vae_explorer.gui.widgets.terms import TermHeader
from vae_explorer.number_format import figure
from vae_explorer.session.runs.sweeps import CellMap, Varied, planned
from vae_explorer.training.meaning import named, no_likelihood
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.sweep import Sweep
from vae_explorer.training.sweep_folder import Result

_FIGURES = ("Outcome", "Epochs", "Best ELBO", "log p(x)", "KL", "Units", "Seconds")
_NO_SWEEP = (
    "No sweep yet: choose the values of one or two fields, and press Start. "
    "Each combination is trained, and its map is shown here."
)
_HINT = "0.5, 1, 2  or  0:4"


class SweepPanel(QWidget):
    """Asks for one or two fields and their values, and shows what comes of them.

    Signals:
        start_requested(tuple): what is ``Varied``; the recipe is that of the training form.
        stop_requested(), go_on_requested(), open_requested(): a button.
        cell_chosen(int): the number of a run.
    """

    start_requested = Signal(tuple)
    stop_requested = Signal()
    go_on_requested = Signal()
    open_requested = Signal()
    cell_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sweep: Sweep | None = None
        self._results: tuple[Result, ...] = ()
        self._running = 0
        self._free = self._valid = True
        self._recipe = Recipe()
        self._rows = [_AxisRow("beta", "0.5, 1, 2, 4"), _AxisRow("", "")]
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        for title, axis in zip(("Vary", "and"), self._rows, strict=True):
            form.addRow(title, axis)
            axis.changed.connect(self._check)
        self._about = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding)
        self._start = _button("Start", "Train the form's recipe with every combination")
        self._start.clicked.connect(lambda: self.start_requested.emit(self._varied))
        self._stop = _button("Stop", "Stop the current run and keep it")
        self._stop.clicked.connect(self.stop_requested)
        self._go_on = _button("Resume", "Train the remaining runs of the sweep")
        self._go_on.clicked.connect(self.go_on_requested)
        self._open = _button("Open…", "Show an earlier sweep")
        self._open.clicked.connect(self.open_requested)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addWidget(self._about, 1)
        column.addLayout(row(self._start, self._stop, self._go_on, self._open))
        side.setMinimumWidth(330)
        side.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

        self._table = QTableWidget()
        self._table.setHorizontalHeader(TermHeader(self._table))
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setAccessibleName("Runs of the sweep")
        self._table.verticalHeader().hide()
        self._table.activated.connect(lambda index: self.cell_chosen.emit(index.row() + 1))
        self.maps = SweepMaps()
        self.maps.cell_chosen.connect(self.cell_chosen)
        self._nothing = EmptyState(_NO_SWEEP, over=self.maps)
        tabs = QTabWidget()
        tabs.setDocumentMode(True)
        tabs.addTab(self.maps, "Maps")
        tabs.addTab(self._table, "Table")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.addWidget(side)
        layout.addWidget(tabs, 1)
        self.setAccessibleName("Sweep")
        self._check()
        self._enable()

    def set_recipe(self, recipe: Recipe) -> None:
        """Vary another recipe."""
        self._recipe = recipe
        self._check()

    def set_sweep(self, sweep: Sweep) -> None:
        """Show another sweep; its results follow."""
        self._sweep, self._results = sweep, ()
        self._nothing.hide()
        self.maps.set_sweep(sweep)
        names = [axis.field for axis in sweep.axes]
        self._table.setColumnCount(len(names) + len(_FIGURES))
        self._table.setHorizontalHeaderLabels([*names, *_FIGURES])
        self._table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self._table.setRowCount(len(sweep.cells))
        self._enable()

    def set_results(self, results: tuple[Result, ...]) -> None:
        """Fill the table."""
        self._results = results
        self.maps.set_results(results)
        for line, result in enumerate(results):
            for column, text in enumerate(_texts(result)):
                item = QTableWidgetItem(text)
                right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                item.setTextAlignment(right)
                self._table.setItem(line, column, item)
        self._enable()

    def set_map(self, made: CellMap) -> None:
        """Show where a run puts the images."""
        self.maps.set_map(made)

    def set_running(self, number: int) -> None:
        """Say which run is trained; 0 for none."""
        self._running = number
        self.maps.set_running(number)
        if number:
            self._table.selectRow(number - 1)
        self._enable()

    def set_free(self, free: bool) -> None:
        """Allow to begin only while nothing else is trained."""
        self._free = free
        self._enable()

    @property
    def _varied(self) -> Varied:
        return tuple(row.varied for row in self._rows if row.varied[0])

    def _check(self) -> None:
        """Say what would be trained, or what is wrong."""
        self._valid, words = planned(self._recipe, self._varied)
        self._about.setText(words)
        self._enable()

    def _enable(self) -> None:
        left = any(result.outcome in ("waiting", "begun") for result in self._results)
        idle = self._free and not self._running
        self._start.setEnabled(idle and self._valid)
        self._stop.setEnabled(bool(self._running))
        self._go_on.setEnabled(idle and left)
        self._open.setEnabled(not self._running)


class _AxisRow(QWidget):
    """A field and its values.

    Signals:
        changed(): either is another.
    """

    changed = Signal()

    def __init__(self, field: str, values: str) -> None:
        super().__init__()
        self._field = QComboBox()
        self._field.addItem("nothing else", "")
        for name, spec in Recipe.specs().items():
            self._field.addItem(spec.label, name)
            self._field.setItemData(self._field.count() - 1, spec.help, Qt.ItemDataRole.ToolTipRole)
        self._field.setCurrentIndex(self._field.findData(field))
        self._field.setAccessibleName("Field to vary")
        self._field.setMinimumContentsLength(8)
        self._values = QLineEdit(values, placeholderText=_HINT)
        self._values.setAccessibleName("Its values")
        self._values.setToolTip(
            "Values between commas, or between semicolons if they have decimal commas, or "
            "FIRST:END for whole numbers before END"
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._field, 2)
        row.addWidget(self._values, 3)
        self._field.currentIndexChanged.connect(self._on_changed)
        self._values.textChanged.connect(self._on_changed)
        self._on_changed()

    @property
    def varied(self) -> tuple[str, str]:
        return self._field.currentData(), self._values.text()

    def _on_changed(self) -> None:
        self._values.setEnabled(bool(self._field.currentData()))
        self.changed.emit()


def _button(text: str, help_text: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(help_text)
    button.setMinimumWidth(button.fontMetrics().horizontalAdvance(text) + 20)
    return button


def _texts(result: Result) -> list[str]:
    return [
        *(str(value) for _, value in result.values),
        result.outcome,
        figure(result.epoch, 1),
        *(
            named(figure(value, 2), no_likelihood(result.measure) if value is not None else None)
            for value in (result.held_out_elbo, result.held_out_log_marginal)
        ),
        figure(result.held_out_kl, 2),
        figure(result.active_units, 0),
        figure(result.seconds, 0),
    ]
