-- What became known, and how much it is used, since the last time. Ids are handed on in arrays: the planner, which cannot
-- know how few they are, would read whole tables for them.
CREATE OR REPLACE FUNCTION logintel._note_known() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    published bigint[];
BEGIN
    WITH taken AS (
        DELETE FROM logintel_internal.published_scores
        WHERE ctid = ANY (ARRAY(SELECT p.ctid
            FROM logintel_internal.published_scores p LIMIT 200000)) RETURNING score_id)
    SELECT array_agg(t.score_id) INTO published FROM taken t;
    INSERT INTO logintel_internal.lineless_scores (score_id)
    SELECT s.id FROM logintel_internal.scores s
    WHERE s.id = ANY (published) AND s.canonical AND s.at_write
      AND NOT EXISTS (SELECT FROM logintel_internal.score_totals t WHERE t.score_id = s.id AND t.lines > 0);
    WITH known AS (
        INSERT INTO logintel_internal.known_scores (score_id, model_set_id, repeated, used_at)
        SELECT s.id, s.model_set_id,
               EXISTS (SELECT FROM logintel_internal.score_totals t
                   WHERE t.score_id = s.id AND t.lines > 1), s.scored_at
        FROM logintel_internal.scores s WHERE s.id = ANY (published) AND s.canonical
        ON CONFLICT (score_id) DO NOTHING
        RETURNING model_set_id)
    INSERT INTO logintel_internal.known_counts AS c (model_set_id, scores)
    SELECT k.model_set_id, count(*) FROM known k GROUP BY 1
    ON CONFLICT (model_set_id) DO UPDATE SET scores = c.scores + excluded.scores;
END
$function$;

COMMENT ON FUNCTION logintel._note_known() IS 'Adds scores that were published to known_scores, at most 200,000.';

CREATE OR REPLACE FUNCTION logintel._note_fewer_lines(score_ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    one_line bigint[];
    no_line bigint[];
BEGIN
    SELECT array_agg(t.score_id), array_agg(t.score_id) FILTER (WHERE t.lines <= 0) INTO one_line, no_line
    FROM logintel_internal.score_totals t WHERE t.score_id = ANY (score_ids) AND t.lines <= 1;
    UPDATE logintel_internal.known_scores k SET repeated = false WHERE k.score_id = ANY (one_line) AND k.repeated;
    INSERT INTO logintel_internal.unused_scores (score_id, evicted_txid)
    SELECT s.id, s.evicted_txid FROM logintel_internal.scores s
        WHERE s.id = ANY (no_line) AND s.evicted_txid IS NOT NULL;
    INSERT INTO logintel_internal.lineless_scores (score_id) SELECT unnest(no_line);
END
$function$;

COMMENT ON FUNCTION logintel._note_fewer_lines(bigint[]) IS 'Notes which of these scores, that lost lines, have one line or none left.';

-- The time of the last use is written every ten minutes at most: it is in an index, and most scores are used every
-- minute.
CREATE OR REPLACE FUNCTION logintel._note_use() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    to_read record := logintel._read_counts('known shapes', 200000);
    used bigint[];
    fewer bigint[];
BEGIN
    SELECT array_agg(DISTINCT c.score_id) FILTER (WHERE c.lines > 0), array_agg(DISTINCT c.score_id) FILTER (WHERE c.lines < 0)
    INTO used, fewer
    FROM logintel_internal.count_changes c WHERE c.id > to_read.after_id AND c.id <= to_read.up_to_id;
    UPDATE logintel_internal.known_scores k SET repeated = k.repeated OR n.repeated, used_at = now()
    FROM unnest(used) AS u (score_id)
    CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT FROM logintel_internal.score_totals t WHERE t.score_id = u.score_id AND t.lines > 1) AS repeated) AS n
    WHERE k.score_id = u.score_id AND k.score_id = ANY (used)
      AND (n.repeated AND NOT k.repeated OR k.used_at < now() - interval '10 minutes');
    PERFORM logintel._note_fewer_lines(fewer);
END
$function$;

COMMENT ON FUNCTION logintel._note_use() IS 'Notes which known scores new lines had, and which evicted ones have no lines left.';

-- Where everything is counted afresh, nobody has noted what lost its lines before.
CREATE OR REPLACE FUNCTION logintel._note_all_unused() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    DELETE FROM logintel_internal.unused_scores;
    INSERT INTO logintel_internal.unused_scores (score_id, evicted_txid)
    SELECT s.id, s.evicted_txid FROM logintel_internal.scores s
    WHERE s.evicted_txid IS NOT NULL
      AND NOT EXISTS (SELECT FROM logintel_internal.score_totals t WHERE t.score_id = s.id AND t.lines > 0);
$function$;

COMMENT ON FUNCTION logintel._note_all_unused() IS 'Notes all evicted scores that no line has.';
