"""What the other templates of a database say of a template's level: a model that never saw the template it judges.

A model that learns from a template's own lines excuses the level that they declare. So templates are judged by folds:
each by a model of the others, and templates with the same words stay in one fold. Neither service nor source is known
to it, or it would excuse the habit of a service.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import psycopg
from scipy.sparse import csr_array, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from logintel_server.tokens import words as words_of

FOLDS = 5
PENALTY = 3.0
"""C of the logistic regression."""
LARGEST_ODDS = 9.0
"""Log-odds are cut to plus and minus this."""
DOUBTED_FROM = 1.0
"""A template that is declared up to INFO, and whose words have larger log-odds, teaches nothing."""


class Template(NamedTuple):
    """A template of a service, as its source declares it."""

    template: str
    service: str
    lines: int
    is_problem: bool
    """Whether it is WARN or above, as most of its lines declare or as a verdict says."""
    words: float
    """Log-odds of that, by the default level model."""
    testifies: bool
    """Whether its level may teach others: it has a verdict, or words and service give no reason to doubt it."""
    is_believed: bool
    """Whether its level may teach the level model: it has a verdict, or is no suspect of an honest service."""


def neighbours_opinion(templates: Sequence[Template]) -> np.ndarray:
    """Return the log-odds [T] that templates are WARN or above, by models of the templates with other words.

    Where those that testify are all alike, it is what the words say.
    """
    words = np.array([template.words for template in templates])
    tokens = [words_of(template.template) for template in templates]
    _, groups = np.unique(tokens, return_inverse=True)
    problem = np.array([template.is_problem for template in templates])
    testifies = np.array([template.testifies for template in templates])
    weights = 1 + np.log(np.maximum([template.lines for template in templates], 1))
    odds = words.copy()
    if len(np.unique(groups)) < FOLDS:
        return np.clip(odds, -LARGEST_ODDS, LARGEST_ODDS)
    for learn, judge in GroupKFold(FOLDS).split(tokens, groups=groups):
        learn = learn[testifies[learn]]
        if len(np.unique(problem[learn])) < 2:
            continue
        vectorizer = TfidfVectorizer(analyzer=_words_and_pairs)
        seen = hstack([vectorizer.fit_transform([tokens[i] for i in learn]), csr_array(words[learn, None] / 2)])
        unseen = hstack([vectorizer.transform([tokens[i] for i in judge]), csr_array(words[judge, None] / 2)])
        model = LogisticRegression(C=PENALTY, max_iter=1000).fit(seen, problem[learn], sample_weight=weights[learn])
        odds[judge] = model.decision_function(unseen)
    return np.clip(odds, -LARGEST_ODDS, LARGEST_ODDS)


def _words_and_pairs(tokens: str) -> list[str]:
    words = tokens.split()
    return [*words, *map(" ".join, pairwise(words))]


def declared_templates(connection: psycopg.Connection) -> list[Template]:
    """Read the templates of a database, as their sources declare them."""
    rows = connection.execute("SELECT * FROM logintel._templates_as_declared()").fetchall()
    return [Template(*row) for row in rows]


def doubted(connection: psycopg.Connection) -> set[tuple[str, str]]:
    """Return the templates, each with its service, whose declared level may not teach the level model."""
    return {(found.template, found.service) for found in declared_templates(connection) if not found.is_believed}


def refresh_neighbours(connection: psycopg.Connection) -> int:
    """Judge all templates of a database by its other templates, and note it there. Returns how many there are."""
    with connection.transaction():
        templates = declared_templates(connection)
    if templates:
        odds = neighbours_opinion(templates)  # holds nothing open meanwhile
        with connection.transaction():
            connection.execute(
                "SELECT logintel._remember_neighbours(%s, %s::real[])",
                ([template.template for template in templates], [float(value) for value in odds]),
            )
    return len(templates)
