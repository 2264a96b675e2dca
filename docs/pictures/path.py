"""Draws path.svg: from an archive to a trusted table, which file each command reads and writes.

Usage: python docs/pictures/path.py [FILE]
"""

import sys
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 940, 300
BOX = (150, 46)
STYLE = (
    "text{font:14px sans-serif;fill:#222;text-anchor:middle}"
    ".code{font:12px monospace;fill:#555}"
    "rect{fill:#f4f6f8;stroke:#456;rx:6}.file{fill:#fff;stroke-dasharray:4 3}"
    "path{stroke:#456;fill:none;marker-end:url(#head)}"
)
BOXES = {
    "archive": (90, 150, "archive", "", "file"),
    "classify": (270, 150, "the model decides", "classify", ""),
    "review": (470, 60, "two people read", "annotate --only review", ""),
    "sample": (470, 240, "two people read", "annotate --sample", ""),
    "merge": (670, 60, "labels override", "merge", ""),
    "assess": (670, 240, "count the errors", "assess archive", ""),
    "table": (850, 60, "trusted table", "", "file"),
    "error": (850, 240, "error with interval", "", "file"),
}
"""Centre, text, command and class of each box."""
ARROWS = [
    ("archive", "classify", ""),
    ("classify", "review", "not decided"),
    ("classify", "sample", "random sample"),
    ("review", "merge", ""),
    ("sample", "assess", ""),
    ("merge", "table", ""),
    ("assess", "error", ""),
]


def main(out: Path) -> None:
    """Write the picture."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>From an archive to a trusted table</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8" style="marker-end:none"/>'
        "</marker></defs>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" style="fill:#fff;stroke:none"/>',
        *(arrow(*one) for one in ARROWS),
        *(box(*one) for one in BOXES.values()),
        "</svg>",
    ]
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def box(x: int, y: int, text: str, command: str, kind: str) -> str:
    """A box with its text, and the command below it."""
    width, height = (BOX[0] + 20, BOX[1]) if command.startswith("annotate") else BOX
    width -= 20 if kind else 0
    return (
        f'<rect class="{kind}" x="{x - width // 2}" y="{y - height // 2}" '
        f'width="{width}" height="{height}"/>'
        f'<text x="{x}" y="{y - 3 if command else y + 5}">{escape(text)}</text>'
        f'<text class="code" x="{x}" y="{y + 15}">{escape(command)}</text>'
    )


def arrow(start: str, end: str, text: str) -> str:
    """An arrow between two boxes, with a word on it."""
    (x, y, *_, left), (to_x, to_y, _, command, right) = BOXES[start], BOXES[end]
    x += (BOX[0] - (20 if left else 0)) // 2 + (10 if start in ("review", "sample") else 0)
    to_x -= (BOX[0] - (20 if right else 0)) // 2 + (10 if command.startswith("annotate") else 0)
    middle = f'x="{(x + to_x) // 2 - 64}" y="{(y + to_y) // 2 + 4}"'
    word = f'<text class="code" {middle}>{escape(text)}</text>' if text else ""
    return f'<path d="M{x} {y} L{to_x} {to_y}"/>{word}'


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg"))
