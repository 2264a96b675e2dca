"""What a reader must know before a figure: that a run is scaled, that radiographs are drawn."""

from textwrap import wrap

from matplotlib.figure import Figure

from cxrview.reports.figures.style import GREY, LINE_MM

_LETTER_MM = 1.6
"""Of a line of small letters, on average and with some room."""


def join_notes(*notes: str) -> str:
    """Several notes as one, each on a line of its own; empty ones are left out."""
    return "\n".join(note for note in notes if note)


def note_lines(note: str, width_mm: float) -> list[str]:
    """The lines that a note takes above a figure of a width; none of an empty one."""
    letters = int(width_mm / _LETTER_MM)
    return [part for line in note.split("\n") for part in wrap(line, letters)]


def note_height(lines: list[str]) -> float:
    """What they add to a figure's height, in mm."""
    return LINE_MM * len(lines)


def draw_note(figure: Figure, lines: list[str]) -> None:
    """Write them at the top of a figure whose layout is constrained, which makes room for them."""
    if lines:
        figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=8, color=GREY)


def describe_note(note: str) -> str:
    """The note as sentences before a description for those who can't see the figure."""
    return "".join(f"{line.rstrip('.')}. " for line in note.split("\n") if line)
