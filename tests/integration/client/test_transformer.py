"""A transformer, trained from the attached table, is registered and scores new shapes inside the server."""

from dataclasses import replace

import psycopg
import pytest

from logintel.defaults.masks import SHAPE_VERSION
from logintel.errors import UserError
from logintel.training import transformer
from logintel.training.dataset import read_lines
from logintel.training.models import train_models
from support.servers import Database
from support.tiny_models import register


def test_a_transformer_scores_lines_in_the_server(db: Database) -> None:
    try:
        transformer.check_installed()
    except UserError as error:
        pytest.skip(str(error))
    db.logintel("simulate", "--lines", "1000")
    lines = [line._replace(category=None, is_anomaly=None, anomaly_type=None)
             for line in read_lines(db.connect(autocommit=False), 1000)]
    model, _ = train_models(lines, shape_version=SHAPE_VERSION, candidates=("transformer",))[0]
    assert model.metadata["candidate"] == "transformer"
    try:
        register(db, model)
    except psycopg.Error as error:
        if "run make install EXTRAS=transformer" not in str(error):
            raise
        pytest.skip("the server lacks the extra: make install EXTRAS=transformer")
    with pytest.raises(psycopg.Error, match="golden case 1 is off"):
        spoilt = [case | {"probabilities": [p + 2e-5 for p in case["probabilities"]]} for case in model.golden]
        register(db, replace(model, golden=spoilt))
    db.execute("SELECT logintel.deploy('level')")
    in_force = "SELECT candidate FROM logintel.ml_models WHERE state = 'in force' AND name = 'level'"
    assert db.value(in_force) == "transformer"
    db.execute("INSERT INTO log_entries (message, level) VALUES ('the crawler cannot find a route to the moon', 'INFO')")
    [(level, confidence)] = db.execute("SELECT predicted_level, level_confidence FROM logintel.ml_predictions "
                                       "ORDER BY log_entry_id DESC LIMIT 1")
    assert level in model.metadata["classes"]
    assert 0 < confidence <= 1
