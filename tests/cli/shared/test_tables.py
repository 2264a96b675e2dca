"""Tables printed for people."""

from cxrview.cli.shared.tables import number, print_table, text


def test_print_table_aligns_words_left_and_numbers_right(capsys):
    print_table([text("name"), number("n")], [("a", "1"), ("bcdef", "1,000")], is_ruled=False)

    *_, first, second, _ = capsys.readouterr().out.splitlines()
    assert first.index("a") == second.index("b")
    assert first.index("1") == second.index("1,000") + 4


def test_print_table_takes_cells_literally(capsys):
    print_table([text("name")], [("[bold]x[/bold]",)], title="[red]")

    printed = capsys.readouterr().out
    assert "[bold]x[/bold]" in printed
    assert "[red]" in printed


def test_print_table_has_the_width_given_where_there_is_no_terminal(capsys):
    print_table([text("name")], [("word " * 40,)], width_of_a_file=60)

    assert max(map(len, capsys.readouterr().out.splitlines())) == 60


def test_print_table_breaks_no_cell_that_keeps_lines(capsys):
    print_table(
        [text("a", keeps_lines=True), text("b")], [("x " * 20, "y " * 30)], width_of_a_file=60
    )

    assert "x " * 19 in capsys.readouterr().out
