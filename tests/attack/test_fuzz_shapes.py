"""Any line has a shape, and lines of one hash have one shape: the write path looks a score up by it."""

from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from logintel_server import tokens
from support.servers import Database

TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
WORDS = st.none() | st.lists(st.sampled_from(["a", "A", "7", "a7", "<*>", "\u0663", "n't", "\n"]), max_size=4).map(" ".join)
MILLISECONDS = st.none() | st.floats() | st.sampled_from([99.9, 100.0, 500.0, 1000.0, 5000.0, 30000.0, -0.0, 1e308, 5e-324])
STATUS = st.none() | st.integers(-(2**31), 2**31 - 1) | st.integers(95, 605)
LINE = st.tuples(TEXT | WORDS, TEXT | WORDS, TEXT | WORDS, TEXT | WORDS, STATUS, MILLISECONDS)

READ = """
    SELECT to_jsonb(s.shape), logintel._shape_hash(l.message, l.service, l.source, l.level, l.status, l.ms, 42),
           logintel.mask((s.shape).template) = (s.shape).template, logintel._tokens((s.shape).template)
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::integer[], %s::double precision[])
         WITH ORDINALITY AS l (message, service, source, level, status, ms, n)
    CROSS JOIN LATERAL (SELECT logintel._shape(l.message, l.service, l.source, l.level, l.status, l.ms) AS shape) AS s
    ORDER BY l.n"""


def test_lines_of_one_hash_have_one_shape(db: Database) -> None:
    @seed(20261130)
    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(LINE, min_size=1, max_size=20))
    @example([(None,) * 6, ("", "", "", "", None, None), ("", None, None, None, 0, float("nan"))])
    @example([("x" * 5000 + "1", "s" * 5000, None, "l" * 5000, 404, float("inf")), ("7" * 5000, None, "7", None, -1, -1.0)])
    def check(lines: list[tuple]) -> None:
        shapes: dict[int, dict[str, str]] = {}
        for shape, shape_hash, is_masked, words in db.execute(READ, tuple(map(list, zip(*lines, strict=True)))):
            assert is_masked, "masking a template again changes nothing"
            assert words == tokens.tokenize(shape["template"])
            assert shapes.setdefault(shape_hash, shape) == shape

    check()
