"""What is wrong with a run, above everything else in the dock, until it is dismissed."""

from collections.abc import Sequence
from html import escape

from vae_explorer.gui.training.banner import Banner
from vae_explorer.training.health import Finding


class HealthBanner(Banner):
    """Findings, or the reason why a run ended early; takes no room while there is nothing."""

    def __init__(self) -> None:
        super().__init__("Health of the run", "Dismiss until there is another message")

    def set_findings(self, findings: Sequence[Finding]) -> None:
        """Show what was found, or nothing."""
        self.say(
            "<br>".join(
                f"<b>{escape(found.title)}.</b> {escape(found.text)} <i>{escape(found.advice)}</i>"
                for found in findings
            )
        )

    def set_failure(self, reason: str) -> None:
        """Say why the run ended early; whatever was found before matters less."""
        self.say(f"<b>Training ended early.</b> {escape(reason)}")

    def clear(self) -> None:
        """Nothing is wrong."""
        self.say("")
