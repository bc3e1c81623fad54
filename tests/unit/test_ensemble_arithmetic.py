"""Ensembles: how what the members say is combined, and which models a process keeps loaded."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logintel_server import ensembles, runtime

CLASSES = ("a", "b", "c", "d")


@st.composite
def said(draw: st.DrawFn, members: int | None = None, known: tuple[str, ...] | None = None) -> list:
    """What members with classes of their own say of some shapes: labels, and rows of probabilities."""
    shapes = draw(st.integers(1, 5))
    result = []
    for _ in range(members or draw(st.integers(2, 6))):
        classes = known or tuple(draw(st.lists(st.sampled_from(CLASSES), min_size=1, unique=True)))
        weights = draw(st.lists(st.lists(st.floats(0.01, 1), min_size=len(classes), max_size=len(classes)),
                                min_size=shapes, max_size=shapes))
        rows = np.array(weights)
        labels = np.array([classes[i] for i in rows.argmax(axis=1)], object)
        result.append((classes, labels, (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)))
    return result


@given(said(), st.sampled_from(["average", "vote"]))
def test_probabilities_add_up_to_one_and_the_label_is_the_likeliest(everything: list, how: str) -> None:
    labels, probabilities = ensembles.combine(how, CLASSES, everything)
    assert probabilities.shape == (len(everything[0][1]), len(CLASSES))
    assert np.abs(probabilities.sum(axis=1) - 1).max() < 1e-6
    assert (probabilities >= 0).all()
    assert labels.tolist() == [CLASSES[i] for i in probabilities.argmax(axis=1)]


@given(said(members=1, known=CLASSES), st.integers(2, 7))
def test_the_average_of_equal_models_is_that_model(one: list, members: int) -> None:
    labels, probabilities = ensembles.combine("average", CLASSES, one * members)
    assert np.abs(probabilities - one[0][2]).max() < 1e-7
    assert labels.tolist() == [CLASSES[i] for i in one[0][2].argmax(axis=1)]


@given(said())
def test_an_average_counts_nothing_for_a_class_that_a_member_does_not_know(everything: list) -> None:
    _, probabilities = ensembles.combine("average", CLASSES, everything)
    for i, name in enumerate(CLASSES):
        shares = [rows[:, known.index(name)] if name in known else np.zeros(len(rows))
                  for known, _, rows in everything]
        assert np.abs(probabilities[:, i] - np.mean(shares, axis=0)).max() < 1e-7


@given(st.permutations(CLASSES), said(members=3))
def test_a_vote_of_three_picks_the_majority(classes: list[str], everything: list) -> None:
    labels, probabilities = ensembles.combine("vote", classes, everything)
    for row, label in enumerate(labels):
        votes = [labels_of_member[row] for _, labels_of_member, _ in everything]
        assert votes.count(label) == max(map(votes.count, votes))
        assert probabilities[row].round(7).tolist() == [round(votes.count(name) / 3, 7) for name in classes]


def test_classes_with_as_many_votes_are_told_apart_by_their_average() -> None:
    sure, unsure = (("a", "b"), ["b"], np.array([[0.1, 0.9]])), (("a", "b"), ["a"], np.array([[0.6, 0.4]]))
    for everything in ([sure, unsure], [unsure, sure]):
        labels, probabilities = ensembles.combine("vote", ("a", "b"), everything)
        assert labels.tolist() == ["b"]
        assert probabilities.round(7).tolist() == [[0.5, 0.5]]


def test_a_digest_depends_on_members_and_the_way_of_combining() -> None:
    digests = {ensembles.digest(how, members) for how in ("average", "vote") for members in (["a", "b"], ["a", "c"])}
    assert len(digests) == 4


class Tables:
    """Stands in for plpy: a set N is an ensemble N, of `size` members of its own; every graph that is read counts."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.read: list[int] = []

    def prepare(self, query: str, types: list[str]) -> str:
        return query

    def execute(self, query: str, arguments: tuple = ()) -> list[dict]:
        if "pg_extension" in query:
            return []
        if "model_sets" in query:
            [number] = arguments
            return [self.row(number, ensembles.digest("vote", [f"m{m}" for m in self.members(number)]))]
        if "ANY ($2)" in query:
            return [self.row(member, f"m{member}") for member in arguments[1]]
        [number] = arguments
        self.read.append(number)
        kind = "classifier" if number >= 1000 else "ensemble"
        members = ",".join(map(str, self.members(number)))
        return [{"onnx": b"", "metadata": f'{{"kind": "{kind}", "combine": "vote", "members": [{members}]}}'}]

    def members(self, number: int) -> list[int]:
        return [1000 * number + i for i in range(self.size)]

    def row(self, number: int, digest: str) -> dict:
        return {"id": number, "name": "level", "version": number, "sha256": digest, "created_at": ""}


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(runtime, "sha256", lambda onnx: type("", (), {"hexdigest": lambda self: Anything()})())
    monkeypatch.setattr(runtime, "open_model", lambda name, title, onnx, metadata: title)
    monkeypatch.setattr(runtime, "_models", {})
    monkeypatch.setattr(runtime, "_plans", {})
    monkeypatch.setattr(runtime, "_keys_of_set", type(runtime._keys_of_set)())
    yield


class Anything:
    """Equals everything."""

    def __ne__(self, other: object) -> bool:
        return False


def test_large_ensembles_that_take_turns_are_loaded_once(empty_cache: None) -> None:
    tables = Tables(size=20)
    for number in 3 * (1, 2, 3):
        [ensemble] = runtime.models_of_set(tables, number)
        assert len(ensemble.members) == 20
    assert len(tables.read) == 3 * 21


def test_models_of_sets_that_are_out_of_use_are_forgotten(empty_cache: None) -> None:
    tables = Tables(size=2)
    for number in range(1, runtime.CACHED_SETS + 11):
        runtime.models_of_set(tables, number)
    assert len(runtime._models) == 3 * runtime.CACHED_SETS
    tables.read.clear()
    runtime.models_of_set(tables, 11)
    assert tables.read == []
    runtime.models_of_set(tables, 1)
    assert tables.read == [1, 1000, 1001]
