"""The templates of simulated logs: enough of them, consistent, and a notation whose slips are named."""

import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logintel.simulation import Template, templates
from logintel.simulation.parameters import Moment
from logintel.simulation.templates import ANOMALY_TYPES, CATEGORIES, LEVELS, parse

HEAD = "source: shop\nhosts: app 2\nlevels: debug info warn error fatal\nshare: 1\nrhythm: day\n[shop.log]\n"


def message(template: Template, rng: Random) -> str:
    status = rng.choice(template.statuses) if template.statuses else None
    taken = sum(template.response_time_ms) / 2 if template.response_time_ms else None
    return template.fill(rng, Moment(datetime(2026, 3, 1, 12, tzinfo=UTC), status, taken))


def test_there_are_many_templates_of_many_systems():
    assert len(templates()) >= 600
    assert len({template.source.name for template in templates()}) >= 14


def test_every_level_category_and_anomaly_type_has_several_templates():
    for values, attribute in ((LEVELS, "level"), (CATEGORIES, "category"), (ANOMALY_TYPES, "anomaly_type")):
        counts = Counter(getattr(template, attribute) for template in templates())
        assert set(counts) - {None} == set(values)
        assert min(counts[value] for value in values) >= 15


def test_every_system_has_every_level():
    levels = defaultdict(set)
    for template in templates():
        levels[template.source.name].add(template.level)
    assert all(found == set(LEVELS) for found in levels.values())


def test_every_anomaly_type_can_befall_several_systems():
    systems = defaultdict(set)
    for template in templates():
        systems[template.anomaly_type].add(template.source.name)
    assert all(len(systems[kind]) >= 6 for kind in ANOMALY_TYPES)


@given(st.integers())
def test_every_placeholder_is_filled(seed: int):
    rng = Random(seed)
    for template in templates():
        text = message(template, rng)
        assert not re.search(r"\{[a-z_|]+\}|%s|\bNone\b(?! value)", text), text
        assert "\0" not in text
        text.encode()


def test_json_templates_give_json():
    rng = Random(1)
    found = [message(template, rng) for template in templates() if template.message.startswith('{"')]
    assert len(found) > 50
    for text in found:
        assert json.loads(text)


def test_what_a_logger_says_in_the_same_words_has_the_same_labels():
    rng = Random(2)
    labels = defaultdict(set)
    for template in templates():
        for _ in range(30):
            masked = re.sub(r"\S*[0-9]\S*", "<*>", message(template, rng))
            key = template.source.name, template.service, masked
            labels[key].add((template.level, template.category))
    assert [key for key, found in labels.items() if len(found) > 1] == []


def test_a_template_is_read_with_all_its_options():
    text = HEAD + r"WARN Network 2.5 network_anomaly http=200,304/503 ms=5..80 new | {peer}: {status}\n\tafter {ms} ms"
    [template] = parse(text, "shop.txt")
    assert (template.source.name, template.source.hosts) == ("shop", ("app-01", "app-02"))
    assert (template.service, template.level) == ("shop.log", "WARN")
    assert (template.category, template.weight) == ("Network", 2.5)
    assert (template.statuses, template.failing_statuses) == ((200, 304), (503,))
    assert (template.response_time_ms, template.anomaly_type, template.is_new) == ((5, 80), "network_anomaly", True)
    assert re.fullmatch(r"[a-z]+: (200|304)\n\tafter 42 ms", message(template, Random(3)))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("INFO System 1 | a {nonsense}", "no placeholder {nonsense}"),
        ("INFO System 1 slow | a", "no option slow"),
        ("NOTE System 1 | a", "it must begin with LEVEL category weight"),
        ("INFO Weather 1 | a", "it must begin with LEVEL category weight"),
        ("INFO System 0 | a", "it must begin with LEVEL category weight"),
        ("INFO System 1 | took {ms}", "{ms} needs ms="),
        ("INFO System 1 ms=1..2 | got {status}", "{status} needs the option http="),
    ],
)
def test_a_slip_in_a_template_is_named_with_file_and_line(line: str, complaint: str):
    with pytest.raises(ValueError, match=re.escape(complaint)) as raised:
        list(parse(HEAD + line, "shop.txt"))
    assert str(raised.value).startswith("shop.txt, line 7: ")
