"""Linear models as rows of weights: what SQL reads out of a graph says what onnxruntime says, or names what it cannot."""

import functools
import itertools
import math
import random
import struct
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import onnx
import psycopg
import pytest
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from logintel.training import export
from logintel.training.dataset import Line
from logintel.training.models import train_models
from support.servers import ROOT, Database
from support.tiny_models import ANOMALIES, LEVELS, tiny_model
from support.training_lines import simulated

# What compiles is the same on all servers; test_linear.py scores on each.
pytestmark = pytest.mark.any_server

TOLERANCE = 1e-5
SPACED = export.SPACED
FEATURES = ("words", "context", "level")
COLUMN = {name: i for i, name in enumerate(FEATURES)}
EIGHT = tuple((word, f"class {word}") for word in ("one", "two", "three", "four", "five", "six", "seven", "eight"))
UNSUPPORTED, UNREADABLE = "0A000", "22023"


class Compiled(NamedTuple):
    """What _compile() returns."""

    features: list[str]
    classes: list[str]
    intercepts: list[float]
    keys: list[int]
    norms: list[int]
    idfs: list[float | None]
    weights: list[float]


def compiled(db: Database, graph: bytes) -> Compiled:
    [row] = db.execute("SELECT (c).* FROM logintel._compile(%s) AS c", (graph,))
    return Compiled(*row)


@functools.cache
def texts() -> np.ndarray:
    """Words, context and level of shapes: simulated ones, made up ones of words that models know, and odd ones [N, 3]."""
    chance = random.Random(1)
    lines = [line.features() for _, line in simulated(1500, seed=9)]
    rows = [[line[name] for name in FEATURES] for line in lines[:250]]
    known = {name: sorted({token for line in lines for token in line[name].split()}) for name in FEATURES}
    known["words"] += [word for word, _ in (*LEVELS, *EIGHT)] * 20 + ["#", "größe", "<*>", "日", "no", "not"] * 5
    for _ in range(250):
        rows.append([" ".join(chance.choices(known[name], k=chance.randrange(1 if name == "level" else 12)))
                     for name in FEATURES])
        rows[-1][2] = chance.choice(["", "INFO", "ERROR", "DEBUG"])
    rows += [["", "", ""], ["failed failed failed", "", "ERROR"], ["unknown unheard", "neither=this", "WARN"]]
    return np.array(rows, dtype=object)


def keys_of(rows: Iterable[Iterable[str]]) -> list[Counter[tuple[int, str]]]:
    """What each row of texts holds, as seed and text."""
    found = []
    for words, context, level in rows:
        tokens = words.split(" ") if words else []
        pairs = [f"{one} {two}" for one, two in itertools.pairwise(tokens)]
        found.append(Counter([*((0, text) for text in (*tokens, *pairs)), *((1, text) for text in context.split()), (2, words),
                              *((3, text) for text in level.split())]))
    return found


def probabilities(db: Database, model: Compiled, rows: np.ndarray) -> np.ndarray:
    """The softmax of the sums of the rows' weights, in float64, as sql/03_models/45_compile.sql describes them [N, C]."""
    counted = keys_of(rows)
    distinct = sorted({key for counts in counted for key in counts})
    hashes = db.value(
        'SELECT array_agg(hashtextextended(u.text COLLATE "C", u.seed) ORDER BY u.n) '
        "FROM unnest(%s::bigint[], %s::text[]) WITH ORDINALITY AS u (seed, text, n)",
        ([seed for seed, _ in distinct], [text for _, text in distinct]),
    )
    hash_of = dict(zip(distinct, hashes, strict=True))
    weights = np.array(model.weights).reshape(len(model.keys), len(model.classes))
    by_key: dict[int, list[int]] = {}
    for number, key in enumerate(model.keys):
        by_key.setdefault(key, []).append(number)
    scores = np.tile(np.array(model.intercepts), (len(rows), 1))
    for i, counts in enumerate(counted):
        sums: dict[int, np.ndarray] = {}
        squares: Counter[int] = Counter()
        for key, count in counts.items():
            for number in by_key.get(hash_of[key], ()):
                norm, idf = model.norms[number], model.idfs[number]
                times = 1 if idf is None else count * idf
                sums[norm] = sums.get(norm, 0) + weights[number] * times
                squares[norm] += times**2
        for norm, part in sums.items():
            scores[i] += part / (math.sqrt(squares[norm]) if norm else 1)
    odds = np.exp(scores - scores.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


def assert_same(db: Database, graph: bytes) -> Compiled:
    """Compile a graph and compare its labels and probabilities with onnxruntime's."""
    model = compiled(db, graph)
    inputs = [value.name for value in onnx.load_from_string(graph).graph.input]
    rows = texts()
    labels, expected = export.run(graph, inputs, rows[:, [COLUMN[name] for name in inputs]], ("label", "probabilities"))
    found = probabilities(db, model, rows)
    assert np.abs(found - expected).max() < TOLERANCE
    best = np.sort(expected, axis=1)
    clear = best[:, -1] - best[:, -2] > TOLERANCE
    assert (np.array(model.classes, dtype=object)[found.argmax(1)] == labels)[clear].all()
    return model


@functools.cache
def trained(labels: str = "all") -> dict[str, bytes]:
    """Models as `logintel train` makes them, by name; of two levels, if labels says so."""
    lines = [line for _, line in simulated(1200, corrupt=0.03)]
    if labels == "two levels":
        lines = [line._replace(level="ERROR" if line.level in ("WARN", "ERROR", "FATAL") else "INFO") for line in lines]
    names = ("level", "category", "anomaly") if labels == "all" else ("level",)
    models, _ = train_models(lines, candidates=("logistic_regression",), names=names)
    return {model.name: model.onnx for model in models}


def default(name: str) -> bytes:
    return (ROOT / "models" / name / "2" / "model.onnx").read_bytes()


def fitted(*parts: tuple[str, Any], classes: int = 4, model: Any = None) -> bytes:
    """A classifier of columns, each made of a feature by a part, of simulated lines and made up classes, as a graph."""
    lines = [line.features() for _, line in simulated(200, seed=3)]
    labels = [f"class {sum(map(ord, line['words'][:12])) % classes:02}" for line in lines]
    features = tuple(name for name in FEATURES if name in {feature for feature, _ in parts})
    inputs = np.array([[line[name] for name in features] for line in lines], dtype=object)
    columns = [(f"part {i}", part, [features.index(feature)] if isinstance(part, OneHotEncoder) else features.index(feature))
               for i, (feature, part) in enumerate(parts)]
    pipeline = Pipeline([("features", ColumnTransformer(columns)), ("model", LogisticRegression(max_iter=300) if model is None else model)])
    return export.convert(pipeline.fit(inputs, labels), features)


def readme_example(vectorizer: Any, expression: str = "[^ ]+", labels: tuple[Any, ...] = ("A", "B", "C", "D"),
                   model: Any = None, feature: str = "words") -> bytes:
    """The graph of models/README.md, without logintel's own export."""
    words = ["user <*> logged in", "query took <*> ms ms", "disk <*> is full", "größe von <*> failed"]
    pipeline = make_pipeline(vectorizer, LogisticRegression() if model is None else model).fit(words, labels)
    options = {id(pipeline[0]): {"tokenexp": expression}} | ({id(pipeline): {"zipmap": False}} if model is None else {})
    graph = to_onnx(pipeline, initial_types=[(feature, StringTensorType([None, 1]))], target_opset=18, options=options)
    return graph.SerializeToString()


def counts(**options: Any) -> CountVectorizer:
    return CountVectorizer(**SPACED, **options)


def tfidf(**options: Any) -> TfidfVectorizer:
    return TfidfVectorizer(**SPACED, **options)


def edited(graph: bytes, change: Callable[[ModelProto], object]) -> bytes:
    model = onnx.load_from_string(graph)
    change(model)
    return model.SerializeToString()


def attribute(model: ModelProto, operator: str, name: str) -> AttributeProto:
    return next(a for node in model.graph.node if node.op_type == operator for a in node.attribute if a.name == name)


def with_raw_tensors(model: ModelProto) -> None:
    for tensor in model.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))


def in_another_order(graph: bytes) -> bytes:
    """The same message with names last, fields of one kind apart, and fields that nobody knows."""
    unknown = b"\x9a\x7f\x03abc" + b"\x90\x7f\xac\x02" + b"\x95\x7f1234" + b"\x91\x7f12345678"

    def part(tag: int, content: bytes) -> bytes:
        size = len(content)
        varint = b""
        while size > 127:
            varint += bytes([size & 127 | 128])
            size >>= 7
        return bytes([tag << 3 | 2]) + varint + bytes([size]) + content

    model = onnx.load_from_string(graph)
    nodes = []
    for node in model.graph.node:
        attributes = b""
        for value in node.attribute:
            unnamed = AttributeProto()
            unnamed.CopyFrom(value)
            unnamed.ClearField("name")
            floats, half = list(value.floats), len(value.floats) // 2
            if floats:  # one by one, and packed
                unnamed.ClearField("floats")
                written = (b"".join(b"\x3d" + struct.pack("<f", number) for number in floats[:half]) + unknown
                           + part(7, struct.pack(f"<{len(floats) - half}f", *floats[half:])))
            else:
                written = unknown
            attributes += part(5, unnamed.SerializeToString() + written + AttributeProto(name=value.name).SerializeToString())
        bare = NodeProto()
        bare.CopyFrom(node)
        bare.ClearField("attribute")
        nodes.append(part(1, attributes + unknown + bare.SerializeToString()))
    rest = GraphProto()
    rest.CopyFrom(model.graph)
    rest.ClearField("node")
    model.ClearField("graph")
    return part(7, unknown + rest.SerializeToString() + b"".join(nodes)) + unknown + model.SerializeToString()


GRAPHS: dict[str, Callable[[], bytes]] = {
    "default level": lambda: default("level"),
    "default category": lambda: default("category"),
    "default anomaly": lambda: default("anomaly"),
    "trained level": lambda: trained()["level"],
    "trained category": lambda: trained()["category"],
    "trained anomaly": lambda: trained()["anomaly"],
    "trained, two levels": lambda: trained("two levels")["level"],
    "trained, tensors as bytes": lambda: edited(trained()["level"], with_raw_tensors),
    "trained, written otherwise": lambda: in_another_order(trained()["anomaly"]),
    "five words": lambda: tiny_model().onnx,
    "two classes": lambda: tiny_model("anomaly", ANOMALIES).onnx,
    "eight words": lambda: tiny_model("category", EIGHT).onnx,
    "context alone": lambda: tiny_model("category", EIGHT, feature="context").onnx,
    "level alone": lambda: tiny_model("category", (("INFO", "one"), ("ERROR", "two"), ("WARN", "three")), feature="level").onnx,
    "the README's": lambda: readme_example(CountVectorizer(token_pattern="[^ ]+", lowercase=False)),
    "pairs as one token": lambda: readme_example(counts(ngram_range=(1, 2))),
    "TF-IDF as it is": lambda: readme_example(tfidf()),
    "counts": lambda: fitted(("words", counts(ngram_range=(1, 2)))),
    "pairs alone": lambda: fitted(("words", counts(ngram_range=(2, 2), binary=True))),
    "TF-IDF": lambda: fitted(("words", tfidf(ngram_range=(1, 2)))),
    "TF-IDF without norm": lambda: fitted(("words", tfidf(norm=None))),
    "binary TF-IDF without norm": lambda: fitted(("words", tfidf(norm=None, binary=True, ngram_range=(1, 2)))),
    "norm of counts": lambda: fitted(("words", tfidf(use_idf=False))),
    "two norms": lambda: fitted(("words", tfidf(ngram_range=(1, 2))), ("context", tfidf()), ("level", counts(binary=True))),
    "known texts alone": lambda: fitted(("words", OneHotEncoder(handle_unknown="ignore"))),
    "known levels": lambda: fitted(
        ("level", OneHotEncoder(categories=[["DEBUG", "INFO", "ERROR"]], handle_unknown="ignore")), ("words", counts())),
    "the same words thrice": lambda: fitted(("words", counts(binary=True)), ("words", counts()), ("words", counts()),
                                            ("words", counts(binary=True, max_features=40))),
    "twenty classes": lambda: fitted(("words", counts(binary=True)), classes=20),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_rows_of_weights_say_what_onnxruntime_says(db: Database, name: str) -> None:
    model = assert_same(db, GRAPHS[name]())
    distinct = Counter(zip(model.keys, model.norms, model.idfs, strict=True))
    assert distinct.most_common(1)[0][1] == 1
    assert len(model.keys) == len(model.norms) == len(model.idfs)
    assert len(model.weights) == len(model.keys) * len(model.classes)
    assert all(norm == 0 or idf is not None for norm, idf in zip(model.norms, model.idfs, strict=True))


def test_what_a_model_reads_is_told(db: Database) -> None:
    assert compiled(db, trained()["anomaly"]).features == ["words", "context", "level"]
    assert compiled(db, trained()["category"]).features == ["words", "context"]
    assert compiled(db, tiny_model("category", EIGHT, feature="context").onnx).features == ["context"]


def test_norms_are_numbered(db: Database) -> None:
    assert sorted(set(compiled(db, GRAPHS["two norms"]()).norms)) == [0, 1, 2]
    assert set(compiled(db, GRAPHS["TF-IDF without norm"]()).norms) == {0}


def test_a_pair_whose_words_are_one_token_is_never_found(db: Database) -> None:
    """As the key of a pair it would be, and onnxruntime never finds it."""
    model = compiled(db, GRAPHS["pairs as one token"]())
    text = "SELECT hashtextextended('größe von', 0)"
    assert db.value(text) in model.keys  # taken apart by skl2onnx, since both words are in the vocabulary
    spoilt = edited(GRAPHS["counts"](), lambda m: attribute(m, "TfIdfVectorizer", "pool_strings").strings.__setitem__(0, b"a b"))
    assert_same(db, spoilt)
    assert db.value("SELECT hashtextextended('a b', 0)") not in compiled(db, spoilt).keys


def test_a_trained_model_takes_less_than_a_second(db: Database) -> None:
    graph = trained()["category"]
    db.execute("CREATE TABLE graphs AS SELECT %s::bytea AS onnx", (graph,))
    db.execute("SET statement_timeout = '10s'")  # ten times what it takes, on a machine that does other things as well
    assert db.value("SELECT cardinality(c.keys) FROM graphs CROSS JOIN LATERAL logintel._compile(onnx) AS c") > 16_000


def test_anybody_who_may_call_it_can(db: Database) -> None:
    role = db.create_role("reader")
    db.execute(f"GRANT USAGE ON SCHEMA logintel TO {role}")
    db.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA logintel TO {role}")
    [row] = db.connect(user=role).execute("SELECT classes FROM logintel._compile(%s)", (tiny_model().onnx,)).fetchall()
    assert row[0] == ["DEBUG", "ERROR", "FATAL", "INFO", "WARN"]


def outlier_graph() -> bytes:
    lines = [Line(line.shape, line.level) for _, line in simulated(600)]
    [model] = train_models(lines, outliers=True, names=("anomaly",))[0]
    return model.onnx


def external(model: ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def without_floor(model: ModelProto) -> None:
    """What has no words is 0/0 then."""
    [floor] = [node for node in model.graph.node if node.op_type == "Max"]
    [div] = [node for node in model.graph.node if node.op_type == "Div"]
    div.input[1] = floor.input[0]
    model.graph.node.remove(floor)


def joined(model: ModelProto) -> None:
    """Columns joined with themselves, again and again."""
    *before, classifier, normalizer = model.graph.node
    joins = [helper.make_node("Concat", [f"join {i}" if i else before[-1].output[0]] * 2, [f"join {i + 1}"], axis=1)
             for i in range(60)]
    classifier.input[0] = "join 60"
    del model.graph.node[:]
    model.graph.node.extend([*before, *joins, classifier, normalizer])


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "forest": (lambda: fitted(("words", tfidf(binary=True, norm=None)), model=RandomForestClassifier(3, max_depth=4)),
               "the operator TreeEnsembleClassifier cannot be scored in SQL"),
    "outlier": (outlier_graph, "the operator TreeEnsembleRegressor cannot be scored in SQL"),
    "one against the rest": (lambda: readme_example(counts(), model=OneVsRestClassifier(LogisticRegression())),
                             "the attribute classlabels_ints of the operator LinearClassifier cannot"),
    "LOGISTIC of four": (lambda: edited(readme_example(counts()), lambda m: setattr(
        attribute(m, "LinearClassifier", "post_transform"), "s", b"LOGISTIC")), "LOGISTIC probabilities of 4 classes cannot"),
    "no probabilities": (lambda: edited(readme_example(counts()), lambda m: setattr(
        attribute(m, "LinearClassifier", "post_transform"), "s", b"NONE")), "NONE probabilities of 4 classes cannot"),
    "perceptron": (lambda: readme_example(counts(), model=Perceptron()), "cannot be scored in SQL"),
    "integers as labels": (lambda: readme_example(counts(), labels=(1, 2, 3, 4)),
                           "the attribute classlabels_ints of the operator LinearClassifier cannot"),
    "21 classes": (lambda: fitted(("words", counts()), classes=21), "a model of one class, or of more than 20 cannot"),
    "template": (lambda: readme_example(counts(), feature="template"), "the input template cannot be scored in SQL"),
    "pairs in the context": (lambda: fitted(("context", counts(ngram_range=(1, 2)))), "pairs of words in context cannot"),
    "known contexts": (lambda: fitted(("context", OneHotEncoder(handle_unknown="ignore"))),
                       "the operator OneHotEncoder that reads context cannot"),
    "words of three letters": (lambda: readme_example(counts(), expression="[a-z]{3,}"),
                               'the operator Tokenizer with the expression "[a-z]{3,}" cannot'),
    "marks": (lambda: edited(readme_example(counts()), lambda m: setattr(attribute(m, "Tokenizer", "mark"), "i", 1)),
              "the operator Tokenizer with marks, or without short words, cannot"),
    "norm of zeros": (lambda: edited(GRAPHS["TF-IDF"](), without_floor), "what the operator Div is used for cannot"),
    "triples": (lambda: fitted(("words", counts(ngram_range=(1, 3)))),
                "the operator TfIdfVectorizer with more than words and pairs of words cannot"),
    "mode IDF": (lambda: edited(readme_example(counts()), lambda m: setattr(attribute(m, "TfIdfVectorizer", "mode"), "s", b"IDF")),
                 "the operator TfIdfVectorizer with a mode other than TF cannot"),
    "padding": (lambda: edited(readme_example(counts()), lambda m: attribute(
        m, "TfIdfVectorizer", "pool_strings").strings.__setitem__(0, b"#")), 'a vocabulary that holds "#" cannot'),
    "an n-gram twice": (lambda: edited(readme_example(counts()), lambda m: attribute(
        m, "TfIdfVectorizer", "pool_strings").strings.__setitem__(0, b"disk")), "a vocabulary that holds something twice cannot"),
    "norm of what counts once": (lambda: fitted(("words", tfidf(binary=True))), "a norm of n-grams that count once cannot"),
    "logarithms": (lambda: fitted(("words", tfidf(sublinear_tf=True))), "cannot be scored in SQL"),
    "no number": (lambda: edited(readme_example(counts()), lambda m: attribute(
        m, "LinearClassifier", "coefficients").floats.__setitem__(5, math.nan)), "a weight that is infinite or no number cannot"),
    "infinity": (lambda: edited(readme_example(counts()), lambda m: attribute(
        m, "LinearClassifier", "intercepts").floats.__setitem__(1, -math.inf)), "a weight that is infinite or no number cannot"),
    "not opposite": (lambda: edited(tiny_model("anomaly", ANOMALIES).onnx, lambda m: attribute(
        m, "LinearClassifier", "coefficients").floats.__setitem__(0, 0.5)), "a LOGISTIC model whose classes are not opposites cannot"),
    "elsewhere": (lambda: edited(readme_example(tfidf()), external), "the tensor idfcst, kept outside the graph, cannot"),
    "another domain": (lambda: edited(readme_example(counts()), lambda m: setattr(m.graph.node[1], "domain", "other")),
                       "the operator Flatten cannot"),
    "another attribute": (lambda: edited(readme_example(counts()), lambda m: m.graph.node[0].attribute.append(
        helper.make_attribute("separators", [" "]))), "the attribute separators of the operator Tokenizer cannot"),
    "other outputs": (lambda: edited(readme_example(counts()), lambda m: m.graph.output.pop()),
                      "a graph whose outputs are not the label and probabilities of one LinearClassifier cannot"),
    "norm of probabilities": (lambda: edited(readme_example(counts()), lambda m: setattr(
        attribute(m, "Normalizer", "norm"), "s", b"L2")), "what the operator Normalizer is used for cannot"),
    "columns that double": (lambda: edited(readme_example(counts()), joined), "a graph that joins more than 64 vectorizers cannot"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sum_of_weights_is_refused_by_name(db: Database, name: str) -> None:
    graph, message = REFUSED[name]
    with pytest.raises(psycopg.errors.FeatureNotSupported) as caught:
        compiled(db, graph())
    assert message in caught.value.diag.message_primary


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (lambda: b"", "there is none in them"),
        (lambda: b"garbage", "the field at byte 0 has no known type"),
        (lambda: tiny_model().onnx[:-1], "they end too early"),
        (lambda: b"\xff" * 40, "a number at byte 0 has no end"),
        (lambda: b"\x00\x00", "no field begins at byte 0"),
        (lambda: b"\x0b", "the field at byte 0 has no known type"),
        (lambda: tiny_model().onnx * 2, "there is none in them"),
        (lambda: edited(tiny_model().onnx, lambda m: m.graph.node[0].input.__setitem__(0, "nowhere")),
         "nothing makes an input of the operator Tokenizer"),
        (lambda: edited(tiny_model().onnx, lambda m: attribute(m, "LinearClassifier", "coefficients").floats.pop()),
         "not as many for each class"),
        (lambda: edited(tiny_model().onnx, lambda m: attribute(m, "TfIdfVectorizer", "ngram_indexes").ints.pop()),
         "do not add up"),
        (lambda: edited(tiny_model().onnx, lambda m: attribute(m, "TfIdfVectorizer", "ngram_indexes").ints.__setitem__(0, 2**62)),
         "out of range"),
        (lambda: edited(readme_example(tfidf()), lambda m: m.graph.initializer[0].CopyFrom(
            helper.make_tensor("idfcst", TensorProto.FLOAT, [9], [1] * 9))), "has another number of columns"),
        (lambda: edited(readme_example(tfidf()), lambda m: m.graph.initializer[0].float_data.pop()), "the tensor idfcst has"),
    ],
)
def test_bytes_that_are_no_graph_are_refused_as_such(db: Database, graph: Callable[[], bytes], message: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue) as caught:
        compiled(db, graph())
    assert caught.value.diag.message_primary.startswith("the bytes are no ONNX graph: ")
    assert message in caught.value.diag.message_primary


def hostile(graph: bytes, chance: random.Random, count: int) -> Iterable[bytes]:
    """Bytes that are nearly a graph: cut off, spoilt here and there, or with a part twice or gone."""
    for _ in range(count):
        spoilt = bytearray(graph[: chance.randrange(len(graph))] if chance.random() < 0.3 else graph)
        for _ in range(chance.choice([0, 1, 1, 2, 5, 20])):
            if spoilt:
                spoilt[chance.randrange(len(spoilt))] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
        if chance.random() < 0.2:
            start, end = sorted(chance.choices(range(len(spoilt) + 1), k=2))
            spoilt[start:end] = chance.choice([b"", bytes(spoilt[start:end]) * 2])
        yield bytes(spoilt)


@pytest.mark.parametrize("seed", range(4))
def test_hostile_bytes_are_an_error_or_a_model_and_soon(db: Database, seed: int) -> None:
    db.execute("SET statement_timeout = '5s'")
    small = [tiny_model().onnx, tiny_model("anomaly", ANOMALIES).onnx, readme_example(tfidf(ngram_range=(1, 2))), _small_columns()]
    read = 0
    for spoilt in hostile(small[seed], random.Random(seed), 400):
        try:
            model = compiled(db, spoilt)
        except psycopg.Error as error:
            assert error.sqlstate in (UNSUPPORTED, UNREADABLE), (error.sqlstate, str(error), spoilt.hex())
            assert "\n" not in error.diag.message_primary
        else:
            read += 1
            assert len(model.weights) == len(model.keys) * len(model.classes) == len(model.norms) * len(model.intercepts)
    assert read  # a byte in a name or a weight is no harm


@functools.cache
def _small_columns() -> bytes:
    return fitted(("words", tfidf(max_features=5)), ("context", counts(binary=True, max_features=5)),
                  ("words", OneHotEncoder(categories=[["started", "failed"]], handle_unknown="ignore")))


def test_a_long_message_of_nothing_takes_no_longer_than_its_bytes(db: Database) -> None:
    db.execute("SET statement_timeout = '20s'")
    for spoilt in (b"\x08\x01" * 200_000, b"\x0d1234\x150000" * 50_000, b"\x3a\x00" * 200_000,
                   b"\x3a\xc0\xb8\x02" + b"\x0a\x00" * 20_000):
        with pytest.raises(psycopg.Error) as caught:
            compiled(db, spoilt)
        assert caught.value.sqlstate in (UNSUPPORTED, UNREADABLE)


def test_floats_are_exact(db: Database) -> None:
    chance = random.Random(0)
    bits = [0, 1 << 31, 1, (1 << 31) + 1, 0x7FFFFF, 0x800000, 0x7F7FFFFF, 0xFF7FFFFF,
            *(chance.getrandbits(32) for _ in range(2000))]
    packed = b"".join(struct.pack("<I", b) for b in bits if b >> 23 & 255 != 255)
    expected = list(struct.unpack(f"<{len(packed) // 4}f", packed))
    in_one = TensorProto(raw_data=packed).SerializeToString()
    apart = b"".join(b"\x4d" + packed[i : i + 4] for i in range(0, len(packed), 4))
    for message, times in ((in_one, 1), (apart, 1), (apart + b"\x08\x01" + in_one + apart[:5], 2)):
        found = db.value("SELECT logintel._protobuf_floats(%s, 0, %s, 9)", (message, len(message)))
        assert [struct.pack("<d", x) for x in found[: times * len(expected)]] == [struct.pack("<d", x) for x in expected * times]
        assert len(found) == times * len(expected) + (times == 2)


def test_doubles_and_integers_are_exact(db: Database) -> None:
    chance = random.Random(0)
    doubles = [0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1 / 3,
               *(chance.uniform(-1, 1) * 10 ** chance.randrange(-300, 300) for _ in range(500))]
    message = b"".join(b"\x51" + struct.pack("<d", x) for x in doubles)
    found = db.value("SELECT logintel._protobuf_doubles(%s, 0, %s, 10)", (message, len(message)))
    assert [struct.pack("<d", x) for x in found] == [struct.pack("<d", x) for x in doubles]
    integers = [0, 1, -1, 127, 128, 2**63 - 1, -(2**63), *(chance.getrandbits(chance.randrange(1, 63)) for _ in range(300))]
    for tensor in (helper.make_tensor("t", TensorProto.INT64, [len(integers)], integers),
                   numpy_helper.from_array(np.array(integers), "t")):
        message = tensor.SerializeToString()
        found = db.value(f"SELECT logintel._protobuf_{'words' if tensor.raw_data else 'integers'}(%s, 0, %s, %s)",
                         (message, len(message), 9 if tensor.raw_data else 7))
        assert found == integers
