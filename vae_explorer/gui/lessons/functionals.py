"""The density one pulls about, and how its entropy climbs."""

import numpy as np

from vae_explorer.gui.lessons.density import Density
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.marks import Columns, Dots, Level, Line, Mark
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import beside, button, fill, row
from vae_explorer.number_format import figure
from vae_explorer.session.lessons.functionals import Functionals, FunctionalsResult

_SUBSCRIPTS = "₀₁₂"
_LEAST_STEPS = 60
"""In sight, however short the ascent is."""


class FunctionalsView(LessonView):
    """Above the density, below how far it is from the maximum at every step."""

    experiment: Functionals
    readouts = ("best",)

    def __init__(self, experiment: Functionals) -> None:
        super().__init__(experiment, buttons=("ascend",))
        self._density = Density("p")
        self._density.setToolTip(
            "Drag to give p another height; or choose a position by ← and →, and move p by ↑ and ↓"
        )
        self._left, self._right = Chart("", "step"), Chart("", "step")
        self._readout, self._details = Readout(growing=True), Readout(growing=True)
        step = button("&Step", "Climb one step", experiment.step)
        reset = button("&Reset", "Go back to where the ascent started", experiment.reset)
        ascent = beside(self.form.rows["ascend"], step, reset)
        charts = beside(self._left, self._right)
        self.controls |= {"ascend": ascent, "charts": charts}
        choice, facts = self.line("constraint", "size", "shape"), row(ascent, (self._readout, 1))
        fill(self.page, choice, (self._density, 3), facts, self._details, (charts, 2))
        self._density.pulled.connect(self._on_pulled)
        self._density.released.connect(experiment.let_go)
        self._density.raised.connect(self._on_nudged)
        self.start()

    def draw(self, old: FunctionalsResult | None) -> None:
        """Draw the density, the ascent and what is to be read of them."""
        self._show_density()
        self._show_charts()
        self._show_readout()

    @property
    def _bars(self) -> bool:
        return self.experiment.settings.constraint == "bars"

    def _show_density(self) -> None:
        found, words = self.experiment.result, self.experiment.kind.words
        problem, p = found.problem, found.p
        marks: list[Mark]
        if self._bars:
            count = len(p)
            self._density.set_title("p of each bar", "bar")
            self._density.set_look("free", 1.0)
            self._density.set_range(0.5, count + 0.5, 0.0, 1.0)
            marks = [Columns(np.arange(count + 1) + 0.5, p, "accent", "p", gap=0.25)]
            best: Mark = Level(1 / count, "held_out", f"1/n = {figure(1 / count, 3)}")
        else:
            top = max(1.6 * float(problem.best.max()), 1.15 * float(found.start.max()))
            self._density.set_title(f"{words.p}({words.x})", words.x)
            self._density.set_look("free")
            self._density.set_range(*self.experiment.sight, 0.0, top)
            x = np.concatenate([problem.x[:1], problem.x, problem.x[-1:]])
            marks = [Line(x, np.pad(p, 1), "accent", words.p, filled=True)]
            best = Line(problem.x, problem.best, "held_out", words.best, dashed=True)
        if self.tells("best"):
            marks.append(best)
        self._density.set_places(len(p) if self._bars else 0)
        self._density.set_marks(marks)

    def _show_charts(self) -> None:
        found, words = self.experiment.result, self.experiment.kind.words
        two_bars = self._bars and len(found.p) == 2
        self._left.setVisible(not two_bars)
        kl = found.divergences
        steps = np.arange(len(kl), dtype=np.float64)
        last = max(_LEAST_STEPS, 1.05 * len(kl))
        self._left.set_range(-1, last, 0.0, 1.1 * max(float(kl.max()), 1e-3))
        target = words.best if words.p == "q" else "u" if self._bars else "best"
        self._left.set_title(f"KL({words.p} ‖ {target}), nats", "step")
        self._left.set_marks([Line(steps, kl, "kl", "", filled=True)])
        if two_bars:
            self._show_function()
            return
        marks: list[Mark] = []
        if found.problem.moments.size:
            path, ends = found.multipliers, found.final_multipliers
            colors = ("muted", "train", "log_likelihood")
            for which in range(len(ends)):
                name = f"λ{_SUBSCRIPTS[which]}"
                if self.tells("best"):
                    marks.append(Level(float(ends[which]), colors[which]))
                marks.append(Line(steps, path[:, which], colors[which], name))
            self._right.set_title("Multipliers", "step")
            low, high = float(min(path.min(), ends.min())), float(max(path.max(), ends.max()))
        else:
            h, maximum = found.entropies, found.problem.maximum
            marks = [Level(maximum, "held_out", "largest")] if self.tells("best") else []
            marks.append(Line(steps, h, "accent", f"{words.value}[{words.p}]"))
            self._right.set_title(f"{words.curve}, nats", "step")
            low, high = min(0.0, float(h.min())), max(maximum, float(h.max()))
        margin = 0.1 * (high - low) + 1e-3
        self._right.set_range(-1, last, low - margin, high + margin)
        self._right.set_marks(marks)

    def _show_function(self) -> None:
        """Of two bars, H is a function of the height of one."""
        found = self.experiment.result
        first, h = float(found.p[0]), float(found.entropies[-1])
        x = np.linspace(1e-6, 1 - 1e-6, 201)
        curve = -x * np.log(x) - (1 - x) * np.log1p(-x)
        here = np.array([[first, h]])
        self._right.set_title("Entropy, nats, by the height of the first bar", "p₁")
        self._right.set_range(0.0, 1.0, 0.0, 0.8)
        self._right.set_marks(
            [
                Line(x, curve, "muted"),
                Level(first, "muted", upright=True),
                Dots(here, "accent", "H[p]", size=12, opacity=1.0),
            ]
        )

    def _show_readout(self) -> None:
        found = self.experiment.result
        now, maximum = float(found.entropies[-1]), found.problem.maximum
        text = f"<b>{self.experiment.kind.words.value} = {figure(now, 4)}</b> nats"
        if self.tells("best"):
            kl = figure(float(found.divergences[-1]), 4)
            text += f", at most {figure(maximum, 4)} &nbsp; KL = {kl}"
        self._readout.set_text(text)
        count = len(found.problem.moments)
        self._details.setVisible(count > 0)
        pairs = zip(found.multipliers[-1], found.final_multipliers, strict=True)
        words = [
            f"λ{_SUBSCRIPTS[which]} = {self.told(f'lambda{which}', figure(here, 3))}"
            + (f" → {figure(end, 3)}" if self.tells("best") else "")
            for which, (here, end) in enumerate(pairs)
        ]
        mean, variance = (float(self.experiment.symbols()[name]) for name in ("mean", "variance"))
        moments = f"mean {figure(mean, 3)}"
        if count == 2:
            moments += f", variance {figure(variance, 3)}"
        words.append(f"{moments}, {'free' if found.held.any() else 'kept'}")
        self._details.set_text(" · ".join(words))

    def _on_pulled(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        if self._bars:
            self.experiment.hold(round(start[0]) - 1, end[1])
        else:
            self.experiment.draw(start, end)

    def _on_nudged(self, x: float, amount: float) -> None:
        experiment = self.experiment
        if self._bars:
            index = round(x) - 1
            experiment.hold(index, float(experiment.result.p[index]) + amount)
            experiment.let_go()
        else:
            experiment.raise_at(x, amount)
