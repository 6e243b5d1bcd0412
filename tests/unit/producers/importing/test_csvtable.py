"""Reading CSV: every row is read right or refused; none is merged with another or dropped."""

from pathlib import Path

import pytest

from producers.importing.csvtable import read_csv
from producers.importing.sourcetable import FileLayout, SourceTable
from streams.errors import EventFileError

HEADER = "at,person,kind,text\n"
COLUMNS = ("at", "person", "kind", "text")


def read(folder: Path, text: str, layout: FileLayout | None = None) -> SourceTable:
    """Read a file of this text."""
    file = folder / "r.csv"
    file.write_bytes(text.encode())
    return read_csv(file, COLUMNS, "at", layout or FileLayout())


def texts(folder: Path, text: str, layout: FileLayout | None = None) -> list[str]:
    """Return the column ``text`` of a file."""
    return read(folder, text, layout).frame["text"].to_list()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            '1,a,post,"he said \\" and left"\n2,b,post,ok\n3,c,post,"one \\" two"\n',
            ['he said " and left', "ok", 'one " two'],
        ),
        ('1,a,post,"\\"hi\\""\n', ['"hi"']),
        ('1,a,post,"he said ""hi"""\n', ['he said "hi"']),
        ('1,a,post,"C:\\"\n2,b,post,"D:\\"\n', ["C:\\", "D:\\"]),
        ('1,a,post,5" pipe\n2,b,post,say "hi"\n', ['5" pipe', 'say "hi"']),
        ('1,a,post,"two\nlines, and more"\n', ["two\nlines, and more"]),
        ('1,a,post,"x \\" y"\n2,b,post,\\N\n', ['x " y', ""]),
    ],
)
def test_quotes_inside_of_quotes_are_read_right(rows: str, expected: list[str], tmp_path: Path) -> None:
    """Doubled or behind a backslash, whichever makes sense of the whole file."""
    assert texts(tmp_path, HEADER + rows) == expected


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            '1,a,post,"hello\n2,b,post,x\n3,c,post,"\n',
            "row 1 (line 2): a quoted text goes on over lines that look like rows",
        ),
        ('1,a,post,"hello\n2,b,post,x\n', "row 1 (line 2): unexpected end of data"),
        ('1,a,post,x\n2,b,post,"a" b\n', "row 2 (line 3): ',' expected after '\"'"),
        ("1,a,post,x\n\n2,b,post\n", "row 2 (line 4): it has 3 fields, the header has 4"),
        ("1,a,post,x\n2,b,post,two\nlines\n", "row 3 (line 4): it has 1 fields, the header has 4"),
        ('1,a,post,"C:\\\\"\n', "row 1: a backslash before a quote or a line end can be read in two ways"),
    ],
)
def test_rows_that_could_be_merged_are_refused(rows: str, message: str, tmp_path: Path) -> None:
    """A stray quote, a broken line and a doubtful backslash are named with row and line."""
    with pytest.raises(EventFileError) as error:
        read(tmp_path, HEADER + rows)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("quoting", "expected"),
    [("doubled", ["C:\\\\", "x"]), ("backslash", ["C:\\", "x"]), ("none", ['"C:\\\\"', '"x"'])],
)
def test_a_doubtful_quote_is_as_the_user_has_it(quoting: str, expected: list[str], tmp_path: Path) -> None:
    """--quoting decides where the file does not."""
    layout = FileLayout(quoting=quoting)  # type: ignore[arg-type]  # one of the three
    assert texts(tmp_path, HEADER + '1,a,post,"C:\\\\"\n2,b,post,"x"\n', layout) == expected


def test_lines_of_a_text_are_no_rows(tmp_path: Path) -> None:
    """A shopping list and a table in a post have nothing where a time would be."""
    post = '1684965600,a,post,"milk, 2\n3,eggs,x,y\n2023-05-24 22:00,b,c,d"\n'
    assert len(texts(tmp_path, HEADER + post)) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("5/9/2023 9:59 PM", "5/10/2023 10:01 AM"), ("2023-05-24T22:00:00Z", "2023-05-24T22:00:00.5Z")]
)
def test_a_swallowed_row_is_seen_by_its_time(one: str, other: str, tmp_path: Path) -> None:
    """However many digits its time has."""
    with pytest.raises(EventFileError, match="look like rows"):
        texts(tmp_path, HEADER + f'{one},a,post,"x\n{other},b,post,y\n{other},c,post,"\n')


def test_a_second_column_of_a_name_is_refused_where_it_is_wanted(tmp_path: Path) -> None:
    """Nothing tells which of two is meant; a name that is not asked for may stand twice."""
    with pytest.raises(EventFileError, match="2 columns are called 'person'"):
        read(tmp_path, "at,person,kind,person\n1,a,join,b\n")
    assert read(tmp_path, "at,person,x,x\n1,a,2,3\n").rows == 1


def test_every_line_of_the_file_is_accounted_for(tmp_path: Path) -> None:
    """Lines above the table, the header, rows, lines inside of quotes and blank ones add up, whatever ends them."""
    for end in ("\n", "\r\n", "\r"):
        text = end.join(["Report", "", *HEADER.split("\n")[:1], '1,a,post,"x', 'y"', ",,,", "2,b,post,z"])
        table = read(tmp_path, text, FileLayout(skip_lines=2))
        assert table.lines == {"header": 1, "table": 2, "continued": 1, "blank": 1, "outside": 2}
        assert table.rows == 2


def test_a_section_is_a_table_of_its_own(tmp_path: Path) -> None:
    """It begins below the line that starts so and ends at a blank line; the rest of the file is another matter."""
    text = "1. Summary\nTitle,x\n\n2. People\nat,person,kind,text\n1,a,post,x\n2,b,post,y\n\n3. More\na,b,c\n"
    table = read(tmp_path, text, FileLayout(section="2. People"))
    assert table.frame["text"].to_list() == ["x", "y"]
    assert table.lines == {"header": 1, "table": 2, "continued": 0, "blank": 0, "outside": 7}
    with pytest.raises(EventFileError, match=r"no line begins with '4. None'"):
        read(tmp_path, text, FileLayout(section="4. None"))
