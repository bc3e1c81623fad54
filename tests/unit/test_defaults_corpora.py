"""The corpora are read as they are written, and nothing that is not a labelled line gets through."""

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logintel.defaults import corpora, masks
from logintel.simulation.templates import ANOMALY_TYPES, CATEGORIES, LEVELS
from logintel.training.dataset import NORMAL, anomaly_of, category_of, level_of

LINE_BREAKS = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\" + LINE_BREAKS), min_size=1, max_size=80)
NAMES = TEXT.map(lambda text: text.replace("\n", "").strip()).filter(bool)
CATEGORY_LISTS = st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=3, unique=True)


def written(service: str, level: str, categories: list[str], anomaly_type: str, message: str) -> str:
    escaped = message.replace("\n", "\\n").replace("\t", "\\t")
    return f"[{service}]\n{level} {','.join(categories)} {anomaly_type} | {escaped}\n"


@given(NAMES, st.sampled_from(LEVELS), CATEGORY_LISTS, st.sampled_from(("-", *ANOMALY_TYPES)), TEXT)
@example("api", "INFO", ["System"], "-", "a | b | c")
@example("api", "WARN", ["System"], "-", "# no comment")
@example("api [1]", "ERROR", ["Network", "Error"], "network_anomaly", "node 7 lost\n\tat frame 3]")
@example("api", "DEBUG", ["System"], "-", "\n")
def test_a_written_line_comes_back(service: str, level: str, categories: list[str], anomaly_type: str, message: str) -> None:
    [entry] = corpora.parse(written(service, level, categories, anomaly_type, message), "mine")
    assert entry.system == "mine"
    assert entry.categories == tuple(categories)
    assert entry.line.shape._asdict() == {"template": masks.mask(message), "service": service, "source_type": "",
                                          "level": "", "status_class": "", "latency_bucket": ""}
    assert (level_of(entry.line), category_of(entry.line)) == (level, categories[0])
    assert anomaly_of(entry.line) == (NORMAL if anomaly_type == "-" else anomaly_type)


def test_a_line_belongs_to_the_section_above_it() -> None:
    text = "# a system\n\n[api]\nINFO System - | up\n# aside\n  \n[ db 1 ]\nWARN Database - | slow\nINFO Database - | up\n"
    assert [(entry.line.shape.service, entry.line.shape.template) for entry in corpora.parse(text, "mine")] == [
        ("api", "up"), ("db 1", "slow"), ("db 1", "up")]


@pytest.mark.parametrize("bad", [
    "INFO System -|up",
    "INFO System - | ",
    "INFO System - |",
    "INFO System | up",
    "INFO  System - | up",
    " INFO System - | up",
    "INFO System,Error - - | up",
    "just a message",
    " # an indented comment",
    "[api",
    "NOTICE System - | up",
    "info System - | up",
    "INFO Weather - | up",
    "INFO System,Weather - | up",
    "INFO System, - | up",
    "INFO , - | up",
    "INFO System none | up",
    "INFO System earthquake | up",
])
def test_a_bad_line_is_refused_by_file_and_line(bad: str) -> None:
    text = f"# comment\n[api]\nINFO System - | up\n\n{bad}\nINFO System - | down\n"
    with pytest.raises(ValueError, match=r"^mine, line 5: "):
        list(corpora.parse(text, "mine"))


@pytest.mark.parametrize("section", ["", "[]", "[  ]", "# [api]"])
def test_a_line_below_no_service_is_refused(section: str) -> None:
    with pytest.raises(ValueError, match=r"^mine, line 2: not .* below a \[service\]"):
        list(corpora.parse(f"{section}\nINFO System - | up", "mine"))


def test_every_shipped_corpus_can_be_read_and_has_lines() -> None:
    files = sorted(corpora.FOLDER.glob("*.txt"))
    assert files
    for file in files:
        assert list(corpora.parse(file.read_text("utf-8"), file.stem)), file.name


def test_there_is_enough_of_everything_to_learn_from() -> None:
    entries = corpora.entries()
    assert len({entry.line.shape.template for entry in entries}) >= 1500
    for label_of, classes in ((level_of, LEVELS), (category_of, CATEGORIES), (anomaly_of, (NORMAL, *ANOMALY_TYPES))):
        counted = Counter(label_of(entry.line) for entry in entries)
        assert set(counted) == set(classes)
        assert min(counted.values()) >= 50, counted


def test_no_two_entries_have_the_same_words() -> None:
    words = [" ".join(word for word in entry.words.split() if word != "<*>") for entry in corpora.entries()]
    assert len(words) == len(set(words))
