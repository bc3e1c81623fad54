"""Ensembles: several classifiers of one name that score as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

TIE_BREAK = 1e-9
"""Weight of the averaged probabilities in a vote: it decides between classes that have as many votes, and is too small
to be seen in the seven digits of a score."""


@dataclass(frozen=True)
class Ensemble:
    """Members that score as one classifier: it is run as a runtime.Model is."""

    title: str  # name and version, for messages
    name: str
    metadata: Mapping[str, Any]  # with classes, members and combine
    members: tuple[Any, ...]  # of runtime.Model
    member_keys: frozenset[tuple]  # of the members in the cache of models

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Features that the members read."""
        return tuple(dict.fromkeys(name for member in self.members for name in member.inputs))

    @cached_property
    def known(self) -> Any:
        """What the training lines of the first member had that recorded them, as in runtime.Model; None without one."""
        return next((member.known for member in self.members if member.known), None)

    def run(self, features: Mapping[str, Sequence[str]]) -> tuple[Any, Any]:
        """Run the members on feature columns of N strings each. Returns labels [N], probabilities [N, classes]."""
        said = [(member.metadata["classes"], *member.run(features)) for member in self.members]
        return combine(self.metadata["combine"], self.metadata["classes"], said)


def combine(how: str, classes: Sequence[str], said: Sequence[tuple[Sequence[str], Any, Any]]) -> tuple[Any, Any]:
    """Combine what members say of N shapes: each its classes, labels [N] and probabilities [N, its classes].

    A class that a member does not know has the probability 0 there. `average` is the mean of the probabilities; in a
    `vote` each member has one, for its label, and the shares of the votes are the probabilities. Returns labels [N] and
    probabilities [N, classes].
    """
    import numpy

    number = {name: i for i, name in enumerate(classes)}
    averages = numpy.zeros((len(said[0][1]), len(classes)))
    votes = numpy.zeros_like(averages)
    for known, labels, probabilities in said:
        averages[:, [number[name] for name in known]] += probabilities
        votes[numpy.arange(len(votes)), [number[label] for label in labels]] += 1
    probabilities = averages / len(said)
    if how == "vote":
        probabilities = (1 - TIE_BREAK) * votes / len(said) + TIE_BREAK * probabilities
    return numpy.array(classes, dtype=object)[probabilities.argmax(axis=1)], probabilities


def digest(how: str, member_digests: Sequence[str]) -> str:
    """Return the SHA-256 of an ensemble, as the SQL function logintel._ensemble_sha256() does."""
    return sha256(f"{how}:{','.join(member_digests)}".encode()).hexdigest()
