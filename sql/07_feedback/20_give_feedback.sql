-- A verdict adds to what the current one of the same line or template says, and takes its place. What is said of the level
-- of a whole template takes the place of what was said of its lines of one declared level, too. Verdicts are rare: one lock
-- keeps two who judge the same thing apart. Who waited has to see what the other said, which a snapshot from before doesn't.
CREATE OR REPLACE FUNCTION logintel._remember_verdict(verdict logintel_internal.feedback) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    before logintel_internal.feedback;
    given bigint;
BEGIN
    IF length(verdict.note) > 10000 THEN
        RAISE EXCEPTION 'the note of the feedback has % characters', length(verdict.note)
            USING ERRCODE = 'string_data_right_truncation', HINT = 'Write at most 10000.';
    END IF;
    LOCK TABLE logintel_internal.feedback IN SHARE ROW EXCLUSIVE MODE;
    UPDATE logintel_internal.feedback f SET is_current = false
    WHERE f.is_current AND f.scope = 'template' AND verdict.scope = 'template'
      AND md5((f.shape).template) = md5((verdict.shape).template)
      AND f.declared_level IS NOT NULL AND verdict.declared_level IS NULL AND verdict.true_level IS NOT NULL;
    UPDATE logintel_internal.feedback f SET is_current = false
    WHERE f.is_current AND f.scope = verdict.scope
      AND CASE verdict.scope WHEN 'line' THEN f.log_entry_id = verdict.log_entry_id AND f.shape_hash = verdict.shape_hash
          ELSE md5((f.shape).template) = md5((verdict.shape).template)
               AND coalesce(f.declared_level, '') = coalesce(verdict.declared_level, '') END
    RETURNING f.* INTO before;
    INSERT INTO logintel_internal.feedback (
        attachment_id, scope, log_entry_id, shape, shape_hash, declared_level, true_level, true_category, is_anomaly, note)
    VALUES (verdict.attachment_id, verdict.scope, verdict.log_entry_id, verdict.shape, verdict.shape_hash, verdict.declared_level,
            coalesce(verdict.true_level, before.true_level), coalesce(verdict.true_category, before.true_category),
            coalesce(verdict.is_anomaly, before.is_anomaly), nullif(btrim(verdict.note), ''))
    RETURNING id INTO given;
    RETURN given;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'somebody else has just given feedback on the same lines'
        USING ERRCODE = 'serialization_failure', HINT = 'Retry the transaction.';
END
$function$;

COMMENT ON FUNCTION logintel._remember_verdict(logintel_internal.feedback) IS 'Makes a verdict the current one of its line or template; returns its id.';

-- Release 0.1.0 masked whole words. A line that it scored has that shape until it is scored again, and verdicts are of it.
CREATE OR REPLACE FUNCTION logintel._score_of_other_masks(
    attachment_id integer, log_entry_id bigint, message text
) RETURNS logintel_internal.scores
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT s FROM logintel_internal.predictions p JOIN logintel_internal.scores s ON s.id = p.score_id
    WHERE p.log_entry_id = $2 AND logintel._attachment_of(s.id) = $1 AND s.template <> logintel.mask($3)
      AND s.template = regexp_replace(left($3, 4096) COLLATE "C", '[^ \t\n\r\f\v]*[0-9][^ \t\n\r\f\v]*', '<*>', 'g')
    LIMIT 1
$function$;

COMMENT ON FUNCTION logintel._score_of_other_masks(integer, bigint, text) IS 'The score of a line that was scored when templates were masked as in release 0.1.0; null for any other.';

CREATE OR REPLACE FUNCTION logintel.give_feedback(
    log_entry_id bigint, true_level text DEFAULT NULL, true_category text DEFAULT NULL, is_anomaly boolean DEFAULT NULL,
    note text DEFAULT NULL, whole_template boolean DEFAULT false, log_table regclass DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    verdict logintel_internal.feedback;
    message text;
    earlier logintel_internal.scores;
BEGIN
    verdict.scope := CASE WHEN whole_template THEN 'template' ELSE 'line' END;
    verdict.log_entry_id := log_entry_id;
    verdict.true_level := logintel.normalize_level(true_level);
    verdict.true_category := nullif(btrim(true_category), '');
    verdict.is_anomaly := is_anomaly;
    verdict.note := note;
    IF true_level IS NOT NULL AND verdict.true_level IS NULL THEN
        RAISE EXCEPTION 'there is no level "%"', true_level
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A level is DEBUG, INFO, WARN, ERROR, FATAL, or a spelling in logintel.level_names.';
    ELSIF num_nonnulls(verdict.true_level, verdict.true_category, is_anomaly) = 0 THEN
        RAISE EXCEPTION 'the feedback on line % says nothing', log_entry_id
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Give true_level, true_category or is_anomaly.';
    ELSIF length(verdict.true_category) > 100 THEN
        RAISE EXCEPTION 'the category "%..." has % characters', left(verdict.true_category, 20), length(verdict.true_category)
            USING ERRCODE = 'string_data_right_truncation', HINT = 'Write at most 100, and the rest into the note.';
    END IF;
    verdict.attachment_id := logintel._attachment_of_line(log_entry_id, log_table);
    SELECT logintel._shape(l.message, l.service, l.source_type, l.level, l.http_status, l.response_time_ms),
           logintel._shape_hash(l.message, l.service, l.source_type, l.level, l.http_status, l.response_time_ms,
                                logintel._shape_seed(verdict.attachment_id)), l.message
    INTO verdict.shape, verdict.shape_hash, message
    FROM logintel._fetched_lines(verdict.attachment_id, ARRAY[give_feedback.log_entry_id]) l;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no log line %', log_entry_id
            USING ERRCODE = 'no_data_found', HINT = 'Give the key of a line in an attached log table.';
    END IF;
    earlier := logintel._score_of_other_masks(verdict.attachment_id, log_entry_id, message);
    IF earlier.id IS NOT NULL THEN
        verdict.shape := ROW(earlier.template, earlier.service, earlier.source_type, earlier.level, earlier.status_class,
                             earlier.latency_bucket);
        verdict.shape_hash := earlier.shape_hash;
    END IF;
    RETURN logintel._remember_verdict(verdict);
END
$function$;

COMMENT ON FUNCTION logintel.give_feedback(bigint, text, text, boolean, text, boolean, regclass) IS 'What a line is in truth: its level, its category, whether it is an anomaly. With whole_template, every line of its template. Adds to an earlier verdict and takes its place, which stays as history; returns its id. Where several log tables have its key, log_table says which.';

-- Verdicts are of few lines: that they tell one table is enough, and a line may be gone.
CREATE OR REPLACE FUNCTION logintel._attachment_of_verdict(line_id bigint, log_table regclass) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    tables regclass[] := ARRAY(
        SELECT DISTINCT a.log_table
        FROM logintel_internal.feedback f JOIN logintel_internal.attachments a ON a.id = f.attachment_id
        WHERE f.log_entry_id = line_id AND f.is_current);
BEGIN
    IF log_table IS NOT NULL OR tables = '{}' THEN
        RETURN logintel._attachment_of_line(line_id, log_table);
    END IF;
    PERFORM logintel._refuse_several_tables(line_id, tables);
    RETURN (logintel._attachment(tables[1])).id;
END
$function$;

COMMENT ON FUNCTION logintel._attachment_of_verdict(bigint, regclass) IS 'The attachment of the log table whose line with this key has a verdict. Raises an error where there are several and none is named.';

CREATE OR REPLACE FUNCTION logintel.withdraw_feedback(
    log_entry_id bigint, whole_template boolean DEFAULT false, log_table regclass DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    attached integer := logintel._attachment_of_verdict(log_entry_id, log_table);
    -- Of a line that is gone, what was said of it tells the template.
    template_hash text := coalesce(
        (SELECT md5(coalesce((logintel._score_of_other_masks(attached, l.id, l.message)).template,
                             logintel.mask(l.message)))
         FROM logintel._fetched_lines(attached, ARRAY[withdraw_feedback.log_entry_id]) l),
        (SELECT md5((f.shape).template) FROM logintel_internal.feedback f
         WHERE f.log_entry_id = withdraw_feedback.log_entry_id AND f.attachment_id = attached
         ORDER BY f.id DESC LIMIT 1));
    ended bigint;
BEGIN
    LOCK TABLE logintel_internal.feedback IN SHARE ROW EXCLUSIVE MODE;
    UPDATE logintel_internal.feedback f SET is_current = false
    WHERE f.is_current AND CASE WHEN whole_template THEN f.scope = 'template' AND md5((f.shape).template) = template_hash
                                ELSE f.scope = 'line' AND f.log_entry_id = withdraw_feedback.log_entry_id
                                     AND f.attachment_id = attached END;
    GET DIAGNOSTICS ended = ROW_COUNT;
    IF ended = 0 THEN
        RAISE EXCEPTION 'there is no current verdict on % %', CASE WHEN whole_template THEN 'the template of line' ELSE 'line' END, log_entry_id
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT * FROM logintel.ml_feedback WHERE is_current shows what there is; whole_template says of what.';
    END IF;
    RETURN ended;
END
$function$;

COMMENT ON FUNCTION logintel.withdraw_feedback(bigint, boolean, regclass) IS 'Ends the current verdict on a line; with whole_template, those on its template. They stay as history; returns how many ended.';
