-- Shows nothing: who asks reads the view, where row-level security of the log table holds.
-- As in the write path, no plan has hashes of shapes in it, which its caller may have printed.
CREATE OR REPLACE FUNCTION logintel._predict_line(attachment_id integer, line_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan AS
$function$
#variable_conflict use_column
DECLARE
    attached CONSTANT integer := attachment_id;
BEGIN
    IF logintel._has_prediction(attached, line_id) THEN
        RETURN;
    END IF;
    -- Whoever has the line in hand is waited for; then its prediction is there, and outdated if the line waited again.
    PERFORM pg_advisory_xact_lock('logintel_internal.pending'::regclass::oid::integer, hashint8(line_id));
    DELETE FROM logintel_internal.pending q WHERE q.attachment_id = attached AND q.log_entry_id = line_id;
    IF FOUND OR NOT logintel._has_prediction(attached, line_id) THEN
        PERFORM logintel._score_lines(attached, ARRAY[line_id]);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._predict_line(integer, bigint) IS 'Scores a line, if it has no prediction yet.';

CREATE OR REPLACE FUNCTION logintel._has_prediction(attachment_id integer, line_id bigint) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT EXISTS (SELECT FROM logintel_internal.predictions p
                   WHERE p.log_entry_id = $2 AND logintel._attachment_of(p.score_id) = $1);
$function$;

COMMENT ON FUNCTION logintel._has_prediction(integer, bigint) IS 'Whether a line has a prediction.';

-- What tables a key is in is asked with the rights of who asks.
CREATE OR REPLACE FUNCTION logintel.predict_log(line_id bigint, log_table regclass DEFAULT NULL) RETURNS TABLE (
    id bigint, log_entry_id bigint, predicted_level text, level_confidence real, category text, category_confidence real,
    labels text[], is_anomaly boolean, anomaly_score real, anomaly_confidence real, anomaly_type text, severity text,
    model_version text, predicted_at timestamptz
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
#variable_conflict use_column
DECLARE
    tables regclass[] := ARRAY(SELECT a.log_table FROM logintel_internal.attachments a
                               WHERE a.log_table = coalesce(predict_log.log_table, a.log_table));
BEGIN
    IF cardinality(tables) > 1 THEN
        tables := ARRAY(SELECT DISTINCT l.log_table FROM logintel._log_lines() l WHERE l.id = line_id);
        PERFORM logintel._refuse_several_tables(line_id, tables);
    END IF;
    IF NOT EXISTS (SELECT FROM logintel.ml_predictions p WHERE p.log_entry_id = line_id AND p.log_table = tables[1]) THEN
        IF NOT EXISTS (SELECT FROM logintel._log_lines() l WHERE l.id = line_id AND l.log_table = tables[1]) THEN
            RAISE EXCEPTION 'there is no log line %', line_id
                USING ERRCODE = 'no_data_found', HINT = 'Give the key of a line in an attached log table.';
        END IF;
        PERFORM logintel._predict_line(a.id, line_id) FROM logintel_internal.attachments a
            WHERE a.log_table = tables[1];
    END IF;
    RETURN QUERY
        SELECT p.id, p.log_entry_id, p.predicted_level, p.level_confidence, p.category, p.category_confidence,
               p.labels, p.is_anomaly, p.anomaly_score, p.anomaly_confidence, p.anomaly_type, p.severity,
               p.model_version, p.predicted_at
        FROM logintel.ml_predictions p WHERE p.log_entry_id = line_id AND p.log_table = tables[1];
END
$function$;

COMMENT ON FUNCTION logintel.predict_log(bigint, regclass) IS 'The prediction of a line; scored and stored now if it has none yet. Where several log tables have its key, one has to be named.';
