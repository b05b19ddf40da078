"""Every action of the window as data: menus, toolbar and the sheet of keys come from this table."""

from dataclasses import dataclass

from vae_explorer.session.map.layers import LAYERS


@dataclass(frozen=True)
class Command:
    """One action. ``keys`` are portable key sequences.

    ``menu`` names the menu it appears in. ``group`` makes it one of a checkable set, of which one
    is on; ``check`` makes it something that is on or off by itself.
    """

    id: str
    menu: str
    text: str
    help: str
    keys: tuple[str, ...] = ()
    toolbar: bool = False
    group: str = ""
    check: bool = False
    separator: bool = False
    """Draw a line above it in the menu."""


MENUS = ("File", "Edit", "Go", "Select", "Map", "Layers", "Training", "Course", "View", "Help")

_DIGIT_COMMANDS = tuple(
    Command(
        f"digit_{digit}",
        "Go",
        f"Go to Digit {digit}",
        f"Move the cursor to where {digit}s are densest",
        (str(digit),),
    )
    for digit in range(10)
)
_LAYER_COMMANDS = tuple(
    Command(
        f"layer_{spec.id}", "Layers", spec.name, spec.about.rstrip("."), (spec.key,), check=True
    )
    for spec in LAYERS
)

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
    Command(
        "open_workspace",
        "File",
        "Open Workspace…",
        "Restore a saved view with its pins, selections and layers",
        ("Ctrl+Alt+O",),
        separator=True,
    ),
    Command(
        "save_workspace",
        "File",
        "Save Workspace…",
        "Keep all that is shown and marked in a small file",
        ("Ctrl+Alt+S",),
    ),
    Command("quit", "File", "Quit", "Stop and save a run, then close", ("Ctrl+Q",), separator=True),
    Command("undo", "Edit", "Undo", "Take back a move, a pin or a selection", ("Ctrl+Z",)),
    Command("redo", "Edit", "Redo", "Make it again", ("Ctrl+Shift+Z", "Ctrl+Y")),
    Command(
        "clear",
        "Edit",
        "Clear Selection or Pins",
        "Clear the selection; without one, the pins",
        ("Esc",),
        separator=True,
    ),
    Command("tool_scrub", "Select", "Scrub", "Drag to move the cursor", ("Shift+S",), group="tool"),
    Command(
        "tool_box",
        "Select",
        "Box",
        "Drag a box around points; Ctrl adds, Alt removes",
        ("Shift+B",),
        True,
        group="tool",
    ),
    Command(
        "tool_lasso",
        "Select",
        "Lasso",
        "Draw around points; Ctrl adds, Alt removes",
        ("Shift+L",),
        True,
        group="tool",
    ),
    Command(
        "select_shown",
        "Select",
        "Shown Classes",
        "Select every point of the classes that the legend shows",
        ("Ctrl+A",),
        separator=True,
    ),
    Command(
        "nearest",
        "Select",
        "Nearest to the Pin…",
        "Select the nearest of the pinned digit, by code or by image",
        ("Ctrl+K",),
    ),
    Command("worst", "Select", "100 of Lowest ELBO", "Select what the model explains worst"),
    Command("find", "Select", "Find Image…", "Pin an image by its index", ("Ctrl+F",)),
    Command("invert", "Select", "Invert", "Select all other points", ("Ctrl+I",)),
    Command(
        "name_selection",
        "Select",
        "Name Selection…",
        "Keep the selection under a name",
        ("Ctrl+D",),
        separator=True,
    ),
    Command(
        "export_points",
        "Select",
        "Export Points…",
        "Write a table of the selected points, or of all, as CSV",
        ("Ctrl+Shift+T",),
        separator=True,
    ),
    Command(
        "analogy",
        "Go",
        "Analogy of Three Pins",
        "Move the cursor to the first pin − the second + the third",
        ("Ctrl+Shift+A",),
        separator=True,
    ),
    Command(
        "attribute",
        "Go",
        "Add the Selection's Attribute",
        "Move the cursor by the mean of the selected images − that of the others",
        ("Ctrl+Shift+V",),
    ),
    Command(
        "resample", "Go", "Resample Posterior", "Decode another draw from the pinned digit's q"
    ),
    Command("worst_first", "Select", "Worst First", "List all points from the lowest ELBO on"),
    Command("refine", "Go", "Refine Posterior", "Climb the ELBO of the pinned digit", ("Ctrl+R",)),
    Command("fit", "Map", "Fit the Map", "Show every point", ("Home",), True),
    Command("center", "Go", "Cursor to the Origin", "Move the cursor to z = (0, 0)", ("O",)),
    Command("random", "Go", "Random Place", "Move the cursor to a draw from the prior", ("R",)),
    Command("back", "Go", "Back", "Return to the place visited before", ("Alt+Left",)),
    Command("forward", "Go", "Forward", "Take going back, back", ("Alt+Right",)),
    *_DIGIT_COMMANDS,
    Command(
        "mark",
        "Go",
        "Mark Place…",
        "Keep the cursor's place under a name",
        ("Ctrl+B",),
        separator=True,
    ),
    Command(
        "split_train",
        "Map",
        "Training Images",
        "Show the 60,000 training images",
        group="split",
        separator=True,
    ),
    Command("split_test", "Map", "Test Images", "Show the 10,000 test images", group="split"),
    Command("split_both", "Map", "All Images", "Show all 70,000 images", group="split"),
    Command(
        "kind_mean",
        "Map",
        "Encoder Means",
        "A point is the mean of q(z|x)",
        group="kind",
        separator=True,
    ),
    Command("kind_sample", "Map", "Samples", "A point is one draw from q(z|x)", group="kind"),
    Command(
        "kind_exact",
        "Map",
        "Exact Posterior Means",
        "A point is the mean of p(z|x), which takes minutes",
        group="kind",
    ),
    Command(
        "align",
        "Map",
        "Align Snapshots and Runs",
        "Turn or mirror every other model's plane to fit the points shown (Procrustes)",
        check=True,
        separator=True,
    ),
    Command("ease", "Map", "Let Points Glide", "Ease from snapshot to snapshot", check=True),
    Command(
        "color_table",
        "Map",
        "Colour by Table…",
        "Colour points by a column of a CSV file",
        separator=True,
    ),
    *_LAYER_COMMANDS,
    Command("start", "Training", "Start", "Train a new model by the recipe", ("Ctrl+T",), True),
    Command("pause", "Training", "Pause or Resume", "Pause the run, or go on", ("Space",), True),
    Command("sweep", "Training", "Sweep…", "Train a recipe with one or two of its fields varied"),
    Command("stop", "Training", "Stop", "End the run and keep its model", ("Ctrl+.",), True),
    Command("step", "Training", "Step", "Take one gradient step, then pause", (".",)),
    Command("epoch", "Training", "Epoch", "Train to the end of the epoch, then pause", ("Alt+.",)),
    Command(
        "slow_motion",
        "Training",
        "Slow Motion",
        "Take one gradient step and tell it stage by stage",
        ("Ctrl+Alt+.",),
    ),
    Command(
        "restart",
        "Training",
        "Restart",
        "Begin anew by the same recipe and seed, paused before the first step",
        ("Ctrl+Alt+R",),
        separator=True,
    ),
    Command(
        "branch",
        "Training",
        "Branch",
        "Go on from the model on the map as a new run, by the recipe in the form; "
        "AdamW's averages begin anew",
    ),
    Command("new_seed", "Training", "New Seed", "Put another seed into the form"),
    Command(
        "estimate",
        "Training",
        "Estimate",
        "Find out how long the recipe in the form takes here and how much memory",
    ),
    Command(
        "moment_play",
        "Training",
        "Play the Training",
        "Show moment after moment of the run, or stay at one",
        ("Ctrl+Space",),
        separator=True,
    ),
    Command("moment_back", "Training", "Moment Before", "Go back in the run", ("[",)),
    Command("moment_forward", "Training", "Moment After", "Go on in the run", ("]",)),
    Command("moment_live", "Training", "Live", "Show the run as it is now", ("Ctrl+L",)),
    Command("next_step", "Course", "Next Step", "Go on in the lesson", ("Ctrl+PgDown",)),
    Command("step_before", "Course", "Step Before", "Go back in the lesson", ("Ctrl+PgUp",)),
    Command(
        "open_lesson",
        "Course",
        "Open Lesson…",
        "Open a lesson file that somebody wrote",
        separator=True,
    ),
    Command(
        "save_lesson",
        "Course",
        "Save Lesson…",
        "Save the lesson as a file, its present step set up as it is now",
    ),
    Command(
        "large",
        "Course",
        "Large Type",
        "Show the lesson to a room, or to one person",
        ("Ctrl+Shift+L",),
        check=True,
    ),
    Command(
        "scheme_system", "View", "Follow the System", "Light or dark as the system", group="scheme"
    ),
    Command("scheme_light", "View", "Light", "Always light", group="scheme"),
    Command("scheme_dark", "View", "Dark", "Always dark", group="scheme"),
    Command(
        "layout_explore",
        "View",
        "Explore",
        "Layers, map and decoder",
        ("Ctrl+1",),
        separator=True,
    ),
    Command("layout_train", "View", "Train", "The training form and its curves", ("Ctrl+2",)),
    Command(
        "layout_learn",
        "View",
        "Learn",
        "Layers and refining: q(z|x) of the pinned digit beside the exact posterior",
        ("Ctrl+3",),
    ),
    Command("layout_travel", "View", "Travel", "Paths, and the digit drawn", ("Ctrl+4",)),
    Command(
        "compare",
        "View",
        "Compare…",
        "Show two models, or two sets of images, side by side",
        ("Ctrl+Shift+C",),
        separator=True,
    ),
    Command(
        "runs",
        "View",
        "Browse Runs",
        "All training runs: sort, name, compare, open, resume",
        ("Ctrl+Shift+R",),
    ),
    Command("full_screen", "View", "Full Screen", "Fill the screen, or leave it", ("F11",)),
    Command(
        "palette",
        "Help",
        "Command Palette…",
        "Find a command by its name and run it",
        ("Ctrl+Shift+P",),
    ),
    Command("keys", "Help", "Keys and Gestures", "This sheet", ("F1",)),
    Command("about", "Help", "About VAE Explorer", "Version, data and licences"),
)

GESTURES: tuple[tuple[str, str], ...] = (
    ("Move the pointer over the map", "Preview the digit at that place"),
    ("Click", "Put the cursor there; on a point, pin its digit"),
    ("Ctrl-click", "Add a point to the pins, or take it out"),
    ("Drag", "Scrub: the decoded digit follows"),
    ("Shift-drag", "Select in a box; with Alt, deselect"),
    ("Shift+Ctrl-drag", "Select with a lasso; with Alt, deselect"),
    ("Wheel", "Zoom about the pointer"),
    ("Middle-drag or Space-drag", "Pan"),
    ("Double-click an empty place", "Fit the map"),
    ("Arrow keys", "Move the cursor by 0.1 (Shift ×10, Ctrl ×0.1)"),
    ("Click a class in the legend", "Hide or show it; double-click isolates it"),
    ("Shift-click a class in the legend", "Select its points; with Ctrl too, add them"),
    ("Alt+Up, Alt+Down on a layer", "Move it up or down"),
    ("Drop a file on the window", "Open a model or a workspace, colour by a table, read a picture"),
)
"""What the mouse and the map's keys do, for the sheet of keys."""
