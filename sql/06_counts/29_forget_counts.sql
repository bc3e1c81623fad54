-- Lines that are gone leave the counts with their predictions, which no roll-up sees go. Where there are other tables
-- it does: these predictions were removed one by one.
CREATE OR REPLACE FUNCTION logintel._on_lines_forgotten_061_counts(subject bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._is_only_attachment(subject::integer) THEN
        TRUNCATE logintel_internal.hourly_counts, logintel_internal.score_totals, logintel_internal.count_changes;
        UPDATE logintel_internal.rollup_state SET counted = NULL, counted_at = NULL;
        UPDATE logintel_internal.known_scores SET repeated = false WHERE repeated;
    END IF;
    DELETE FROM logintel_internal.latest_predictions l WHERE l.attachment_id = subject;
    INSERT INTO logintel_internal.lineless_scores (score_id)
    SELECT k.score_id FROM logintel_internal.known_scores k WHERE logintel._attachment_of(k.score_id) = subject;
END
$function$;

COMMENT ON FUNCTION logintel._on_lines_forgotten_061_counts(bigint) IS 'Removes all counts when all lines are gone.';

CREATE OR REPLACE FUNCTION logintel._on_day_dropped_061_counts(subject bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    fewer bigint[];
BEGIN
    WITH dropped AS (
        DELETE FROM logintel_internal.hourly_counts h USING logintel._day_hours(subject) d
        WHERE h.hour >= d.from_hour AND h.hour < d.to_hour RETURNING h.score_id, h.lines),
    totals AS (
        UPDATE logintel_internal.score_totals t SET lines = t.lines - d.lines
        FROM (SELECT d.score_id, sum(d.lines) AS lines FROM dropped d GROUP BY 1) AS d
        WHERE t.score_id = d.score_id RETURNING t.score_id, t.lines)
    SELECT array_agg(t.score_id) INTO fewer FROM totals t WHERE t.lines <= 1;
    PERFORM logintel._note_fewer_lines(fewer);
END
$function$;

COMMENT ON FUNCTION logintel._on_day_dropped_061_counts(bigint) IS 'Takes the lines of a dropped day off the counts. What others made from them stays, so it is no change that they read.';
