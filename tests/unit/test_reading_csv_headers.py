"""The header of a CSV file, and files that have none."""

import pytest

from logintel.errors import UserError
from support.reading import read, records_of


@pytest.mark.parametrize(
    "data",
    [
        "2026-11-01 10:00:00,ERROR,shop,cannot connect\n2026-11-01 10:00:01,INFO,shop,connected\n",
        '"2026-11-01T10:00:00Z","ERROR","cannot connect"\n',
        "2026-11-01 10:00:00 CET;ERROR;cannot connect\n2026-11-01 10:00:01 CET;ERROR;cannot connect\n",
        "1793527200,ERROR,cannot connect\n",
        "INFO,log,started\nERROR,log,stopped\n",
    ],
)
def test_a_first_line_that_is_data_is_not_lost_but_the_file_refused(data: str):
    with pytest.raises(UserError, match="line 1 is data, no header: put the names of the columns before it"):
        records_of(data, name="a.csv")


def test_a_table_without_a_header_is_refused_whatever_its_name():
    with pytest.raises(UserError, match="line 1 is data, no header"):
        records_of('"1","x","2026-11-01T10:00:00Z"\n"2","y","2026-11-01T10:00:01Z"\n', name="export.txt")


def test_the_cure_is_a_header_in_front():
    data = "timestamp,level,message\n2026-11-01 10:00:00,ERROR,cannot connect\n"
    assert read(data, name="-", kind="csv") == [("2026-11-01T10:00:00", "ERROR", None, "cannot connect")]


def test_a_header_that_comes_again_is_no_sign_of_data():
    data = "level,message\nINFO,x\nlevel,message\nWARN,y\n"
    assert read(data, "message", name="a.csv")[0] == ("x",)


def test_lines_before_the_header_are_skipped():
    assert read("#TYPE Selected.Event\nmessage,level\nx,INFO\n", "message") == [("x",)]
    assert read("sep=;\nmessage;level\nx;INFO\n", "message", name="a.csv") == [("x",)]
    assert read("#TYPE Selected.Event\nmessage,level\nx,INFO\ny,INFO\n", "message", skip=3) == [("y",)]


def test_a_file_of_nothing_but_a_preamble_is_refused():
    with pytest.raises(UserError, match="no CSV header"):
        records_of("#TYPE Selected.Event\n")
