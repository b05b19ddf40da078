"""Every action of the window as data: menus, toolbar and the sheet of keys come from this table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One action. ``keys`` are portable key sequences; ``group`` makes it one of a checkable set.

    ``menu`` names the menu it appears in.
    """

    id: str
    menu: str
    text: str
    help: str
    keys: tuple[str, ...] = ()
    toolbar: bool = False
    group: str = ""
    separator: bool = False
    """Draw a line above it in the menu."""


MENUS = ("File", "Map", "Training", "View", "Help")

COMMANDS: tuple[Command, ...] = (
    Command("open", "File", "Open Model…", "Open a checkpoint on the map", ("Ctrl+O",), True),
    Command("save", "File", "Save Model As…", "Save the model on the map", ("Ctrl+S",), True),
    Command("reset", "File", "Open Bundled Model", "Back to the model the explorer ships with"),
    Command(
        "export_digit",
        "File",
        "Export Image…",
        "Write the decoded image at the cursor as PNG",
        ("Ctrl+Shift+E",),
        True,
        separator=True,
    ),
    Command(
        "export_manifold",
        "File",
        "Export Manifold…",
        "Write an n × n sheet of decoded places as PNG",
        ("Ctrl+Shift+M",),
        True,
    ),
    Command("quit", "File", "Quit", "Stop and save a run, then close", ("Ctrl+Q",), separator=True),
    Command("fit", "Map", "Fit the Map", "Show every point", ("Home",), True),
    Command("center", "Map", "Cursor to the Origin", "Move the cursor to z = (0, 0)", ("O",)),
    Command("unpin", "Map", "Clear the Pin", "Forget the pinned digit", ("Esc",)),
    Command(
        "split_train",
        "Map",
        "Training Images",
        "Show the 60,000 training images",
        group="split",
        separator=True,
    ),
    Command("split_test", "Map", "Test Images", "Show the 10,000 test images", group="split"),
    Command("start", "Training", "Start", "Train a new model by the recipe", ("Ctrl+T",), True),
    Command("pause", "Training", "Pause or Resume", "Pause the run, or go on", ("Space",), True),
    Command("stop", "Training", "Stop", "End the run and keep its model", ("Ctrl+.",), True),
    Command(
        "scheme_system", "View", "Follow the System", "Light or dark as the system", group="scheme"
    ),
    Command("scheme_light", "View", "Light", "Always light", group="scheme"),
    Command("scheme_dark", "View", "Dark", "Always dark", group="scheme"),
    Command("full_screen", "View", "Full Screen", "Fill the screen, or leave it", ("F11",)),
    Command("keys", "Help", "Keys and Gestures", "This sheet", ("F1",)),
    Command("about", "Help", "About VAE Explorer", "Version, data and licences"),
)

GESTURES: tuple[tuple[str, str], ...] = (
    ("Move the pointer over the map", "Preview the digit at that place"),
    ("Click", "Put the cursor there; on a point, pin its digit"),
    ("Drag", "Scrub: the decoded digit follows"),
    ("Wheel", "Zoom about the pointer"),
    ("Middle-drag or Space-drag", "Pan"),
    ("Double-click an empty place", "Fit the map"),
    ("Arrow keys", "Move the cursor by 0.1 (Shift ×10, Ctrl ×0.1)"),
    ("Click a class in the legend", "Hide or show it; double-click isolates it"),
    ("Drop a checkpoint on the window", "Open it"),
)
"""What the mouse and the map's keys do, for the sheet of keys."""
