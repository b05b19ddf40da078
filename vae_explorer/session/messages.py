"""What a window says: messages, progress and failures."""

from psygnal import Signal

from vae_explorer.errors import UserError


class Messages:
    """Whatever part has something to say. Main thread only."""

    published = Signal(str)
    progress = Signal(str)
    """What is being computed and how far it is, or "" when nothing is."""
    failed = Signal(str, str)
    """A title and a text that says what to do."""

    def fail(self, title: str, error: BaseException) -> None:
        """Show what went wrong."""
        self.failed.emit(title, words(error))


def words(error: BaseException) -> str:
    """What an error says; of one that is not ours its kind too."""
    known = isinstance(error, UserError)
    return str(error) if known else f"Unexpected {type(error).__name__}: {error}"
