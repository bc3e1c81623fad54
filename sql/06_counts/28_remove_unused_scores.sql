-- Evicted scores that no line has, and nothing else needs. A transaction may still hold a score that it looked up
-- before the eviction. Once no snapshot is left from before it, nobody looks the score up any more, and who ever did
-- has a smaller transaction id than any that begins from then on; once the roll-up has counted all of these, its
-- count is final.
CREATE OR REPLACE FUNCTION logintel._kept_scores(score_ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    handler text;
    more bigint[];
    kept bigint[] := ARRAY(SELECT s.rescored_id FROM logintel_internal.scores s WHERE s.rescored_id = ANY (score_ids));
BEGIN
    FOR handler IN SELECT logintel._handlers('kept_scores') LOOP
        EXECUTE format('SELECT ARRAY(SELECT logintel.%I($1))', handler) INTO more USING score_ids;
        kept := kept || more;
    END LOOP;
    RETURN kept;
END
$function$;

COMMENT ON FUNCTION logintel._kept_scores(bigint[]) IS 'Which of these scores another score is read as, or a capability needs.';

CREATE OR REPLACE FUNCTION logintel._remove_scores(score_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    kept bigint[] := logintel._kept_scores(score_ids);
    to_remove bigint[] := ARRAY(SELECT unnest(score_ids) EXCEPT SELECT unnest(kept));
    removed bigint;
BEGIN
    INSERT INTO logintel_internal.unused_scores (score_id, evicted_txid)
    SELECT s.id, s.evicted_txid FROM logintel_internal.scores s WHERE s.id = ANY (kept);
    DELETE FROM logintel_internal.scores s WHERE s.id = ANY (to_remove);
    GET DIAGNOSTICS removed = ROW_COUNT;
    DELETE FROM logintel_internal.score_totals t WHERE t.score_id = ANY (to_remove);
    RETURN removed;
END
$function$;

COMMENT ON FUNCTION logintel._remove_scores(bigint[]) IS 'Removes those of these scores that nothing needs and puts the others back; returns how many it removed.';

CREATE OR REPLACE FUNCTION logintel._task_063_remove_unused_scores() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    state logintel_internal.rollup_state;
    oldest_snapshot bigint;
    unused bigint[];
    removed bigint := 0;
BEGIN
    PERFORM logintel._lock_counts();
    SELECT s.* INTO state FROM logintel_internal.rollup_state s;
    IF txid_snapshot_xmin(state.counted) < state.users_before OR state.counted IS NULL
       OR current_setting('transaction_isolation') <> 'read committed' THEN
        RETURN 0;
    END IF;
    WITH first AS (
        SELECT u.id, u.evicted_txid FROM logintel_internal.unused_scores u ORDER BY u.id LIMIT 50000),
    taken AS (
        DELETE FROM logintel_internal.unused_scores u USING first f
        WHERE u.id = f.id AND f.evicted_txid < state.evicted_before RETURNING u.score_id)
    SELECT array_agg(DISTINCT t.score_id) INTO unused FROM taken t;
    IF unused IS NOT NULL THEN
        unused := ARRAY(SELECT unnest(unused)
                        EXCEPT SELECT c.score_id FROM logintel_internal.score_totals c WHERE c.score_id = ANY (unused) AND c.lines > 0);
        removed := logintel._remove_scores(unused);
    END IF;
    oldest_snapshot := (SELECT txid_current() - coalesce(max(age(a.backend_xmin)), 0) FROM pg_stat_activity a
                        WHERE a.datname = current_database());
    -- A statement of its own, and so a later snapshot: no user of an old one can have got a larger id meanwhile.
    UPDATE logintel_internal.rollup_state
    SET evicted_before = oldest_snapshot, users_before = txid_snapshot_xmax(txid_current_snapshot());
    RETURN removed;
END
$function$;

COMMENT ON FUNCTION logintel._task_063_remove_unused_scores() IS 'Task of the upkeep: removes evicted scores that no prediction points to, at most 50,000.';
