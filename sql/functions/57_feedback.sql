-- A verdict adds to what the current one of the same line or template says, and takes its place. Verdicts are rare: one
-- lock keeps two who judge the same thing apart.
CREATE FUNCTION logintel._remember_verdict(verdict logintel.feedback) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    before logintel.feedback;
    given bigint;
BEGIN
    LOCK TABLE logintel.feedback IN SHARE ROW EXCLUSIVE MODE;
    UPDATE logintel.feedback f SET is_current = false
    WHERE f.is_current AND f.scope = verdict.scope
      AND CASE verdict.scope WHEN 'line' THEN f.log_entry_id = verdict.log_entry_id
          ELSE md5((f.shape).template) = md5((verdict.shape).template)
               AND coalesce(f.declared_level, '') = coalesce(verdict.declared_level, '') END
    RETURNING f.* INTO before;
    INSERT INTO logintel.feedback (scope, log_entry_id, shape, shape_hash, declared_level, true_level, true_category, is_anomaly, note)
    VALUES (verdict.scope, verdict.log_entry_id, verdict.shape, verdict.shape_hash, verdict.declared_level,
            coalesce(verdict.true_level, before.true_level), coalesce(verdict.true_category, before.true_category),
            coalesce(verdict.is_anomaly, before.is_anomaly), verdict.note)
    RETURNING id INTO given;
    RETURN given;
END
$function$;

COMMENT ON FUNCTION logintel._remember_verdict(logintel.feedback) IS 'Makes a verdict the current one of its line or template; returns its id.';

CREATE FUNCTION logintel.give_feedback(
    log_entry_id bigint, true_level text DEFAULT NULL, true_category text DEFAULT NULL, is_anomaly boolean DEFAULT NULL,
    note text DEFAULT NULL, whole_template boolean DEFAULT false
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    verdict logintel.feedback;
BEGIN
    IF num_nonnulls(true_level, nullif(btrim(true_category), ''), is_anomaly) = 0 THEN
        RAISE EXCEPTION 'the feedback on line % says nothing', log_entry_id
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Give true_level, true_category or is_anomaly.';
    ELSIF true_level IS NOT NULL AND logintel.normalize_level(true_level) IS NULL THEN
        RAISE EXCEPTION 'there is no level "%"', true_level
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A level is DEBUG, INFO, WARN, ERROR, FATAL, or a spelling in logintel.level_names.';
    END IF;
    SELECT logintel.shape(l.message, l.service, l.source_type, l.level, l.http_status, l.response_time_ms),
           logintel.shape_hash(l.message, l.service, l.source_type, l.level, l.http_status, l.response_time_ms)
    INTO verdict.shape, verdict.shape_hash
    FROM logintel.log_lines l WHERE l.id = give_feedback.log_entry_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no log line %', log_entry_id
            USING ERRCODE = 'no_data_found', HINT = 'Give the key of a line in the attached log table.';
    END IF;
    verdict.scope := CASE WHEN whole_template THEN 'template' ELSE 'line' END;
    verdict.log_entry_id := log_entry_id;
    verdict.true_level := logintel.normalize_level(true_level);
    verdict.true_category := nullif(btrim(true_category), '');
    verdict.is_anomaly := is_anomaly;
    verdict.note := note;
    RETURN logintel._remember_verdict(verdict);
END
$function$;

COMMENT ON FUNCTION logintel.give_feedback(bigint, text, text, boolean, text, boolean) IS 'What a line is in truth: its level, its category, whether it is an anomaly. With whole_template, every line of its template. Takes the place of an earlier verdict, which stays as history; returns its id.';
