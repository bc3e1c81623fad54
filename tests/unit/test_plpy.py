"""The stand-in for plpy, as far as it goes without a server."""

from logintel.plpy import PlpyConnection


def test_the_types_of_parameters_are_written_into_the_query():
    plpy = PlpyConnection(connection=None)
    assert plpy.prepare("SELECT $1, $2, $1", ["integer", "text[]"]) == "SELECT $1::integer, $2::text[], $1::integer"
    assert plpy.prepare("SELECT 1") == "SELECT 1"
