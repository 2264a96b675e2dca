"""What the blocks of the pages say of themselves, and how they are read; without running them."""

import re
import shlex

import pytest
import typer

from cxrview.cli.main import app
from docs.page_blocks import (
    LANGUAGES,
    PAGES,
    WITH_BLOCKS,
    Block,
    blocks_of,
    chapters,
    matches,
    name_of,
)


def spelled_options(command: str) -> tuple[list[str], list[str]]:
    """The words of a command of ours before its first argument, and its options."""
    words = shlex.split(command, comments=True)
    options = [word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    return words, options


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=name_of)
def test_options_of_blocks_that_are_not_run_exist(page):
    wrong = []
    for block in blocks_of(page):
        if not block.not_run or block.language != "console":
            continue
        for line in block.commands.replace("\\\n", " ").splitlines():
            words, options = spelled_options(line)
            if not words or not words[0].endswith("cxrview"):
                continue
            command = typer.main.get_command(app)
            for word in words[1:]:
                command = getattr(command, "commands", {}).get(word, command)
            known = {name for one in command.params for name in one.opts}
            wrong += [f"{line}: {name}" for name in options if name not in known]

    assert wrong == []


def test_not_run_says_why():
    unsaid = [
        f"{name_of(page)}: {block.text}"
        for page in WITH_BLOCKS
        for block in blocks_of(page)
        for why in (block.not_run, block.long, block.numbers_vary)
        if why and len(why.split()) < 3
    ]

    assert unsaid == []


def test_every_block_says_its_language():
    """A block without a language, or text that begins with a prompt, would not be run."""
    wrong = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for language, block in re.findall(r"^ *```(.*)\n((?:.*\n)*?) *```$", text, re.MULTILINE):
            if language not in LANGUAGES or (language == "text" and block.startswith("$ ")):
                wrong.append(f"{name_of(page)}: {language}: {block[:60]}")
            if f"```{language}\n" not in text:
                wrong.append(f"{name_of(page)}: indented: {block[:60]}")

    assert wrong == []


def test_chapters_hold_every_page_once():
    pages = [page for chapter in chapters() for page in chapter]

    assert sorted(pages) == sorted(WITH_BLOCKS)


def test_matches_takes_lines_in_order_and_dots_for_anything():
    assert matches(["a ... c", "...", "d"], "x\na b c\ny\nd\n")
    assert not matches(["d", "a"], "a\nd\n")
    assert not matches(["a b"], "a b c\n")
    assert matches(["PFI 99.958 %"], "PFI 99.957 %\n")
    assert not matches(["14.5 files, 0 failed"], "14.6 files, 0 failed\n")


def test_matches_takes_any_number_where_numbers_vary():
    shown = ["a (0.004 to 0.58 %), 9 of 24", "  left       11        0"]

    assert matches(
        shown, "a (0.1 to 12.58 %), 19 of 24\n  left        1       10\n", numbers_vary=True
    )
    assert not matches(shown, "b (0.1 to 12.58 %), 19 of 24\n  left 1 10\n", numbers_vary=True)
    assert not matches(shown, "a (0.1 to 12.58 %), 19 of 24\n", numbers_vary=True)


def test_block_commands_drop_prompts_and_output():
    block = Block(language="console", text="$ one \\\n    two\nprinted\n$ three\n")

    assert block.commands == "one \\\n    two\nthree\n"
    assert block.output == ["printed"]
