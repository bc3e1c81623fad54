-- To be run every minute. Nobody waits for it but another maintain() or a deployment: what needs an exclusive lock comes
-- last and gives up at once where it can't have it.
CREATE OR REPLACE FUNCTION logintel.maintain() RETURNS TABLE (task text, done bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    attached logintel.attachments;
    counted_before txid_snapshot;
    today date := now() AT TIME ZONE 'UTC';
BEGIN
    PERFORM logintel._lock_deployments();
    counted_before := (SELECT s.counted FROM logintel.rollup_state s);
    task := 'predictions counted';
    done := logintel._roll_up();
    RETURN NEXT;
    task := 'shapes evicted';
    done := logintel._evict_shapes() + logintel._evict_ended_challengers();
    RETURN NEXT;
    task := 'unused scores removed';
    done := logintel._remove_unused_scores(counted_before);
    RETURN NEXT;
    task := 'scores made canonical';
    done := logintel._task_051_publish_scores();
    RETURN NEXT;
    task := 'shapes scored for A/B tests';
    done := logintel._score_for_ab_tests();
    RETURN NEXT;
    task := 'windows measured';
    done := logintel._measure_windows();
    RETURN NEXT;
    task := 'days judged for drift';
    done := logintel._judge_drift();
    RETURN NEXT;
    task := 'A/B tests decided';
    done := logintel._decide_ab_tests();
    RETURN NEXT;
    SELECT a.* INTO attached FROM logintel.attachments a;
    IF FOUND THEN
        task := 'triggers created on new partitions';
        done := logintel._create_triggers(attached.log_table);
        RETURN NEXT;
        -- New partitions may have brought lines along, vanished ones have taken lines away.
        IF attached.reconciled_tables IS DISTINCT FROM logintel._log_table_oids() THEN
            RETURN QUERY SELECT * FROM logintel.reconcile();
        END IF;
    END IF;
    PERFORM logintel._summarize_indexes();
    task := 'partitions created';
    done := logintel.create_partitions(today, today + 7);
    RETURN NEXT;
    task := 'days dropped';
    done := logintel._apply_retention();
    RETURN NEXT;
END
$function$;

COMMENT ON FUNCTION logintel.maintain() IS 'Regular upkeep, best run every minute: counts predictions, bounds the known shapes, makes new scores canonical, measures the models, looks at A/B tests, creates and drops partitions.';

-- Pages that the BRIN index does not describe yet are read whenever somebody looks for uncounted predictions or an hour.
CREATE OR REPLACE FUNCTION logintel._summarize_indexes() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS
$function$
BEGIN
    PERFORM brin_summarize_new_values(x.indexrelid)
    FROM pg_inherits i
    JOIN pg_index x ON x.indrelid = i.inhrelid
    JOIN pg_class c ON c.oid = x.indexrelid
    JOIN pg_am m ON m.oid = c.relam AND m.amname = 'brin'
    WHERE i.inhparent = 'logintel.predictions'::regclass;
EXCEPTION WHEN lock_not_available THEN
    RETURN;  -- a vacuum is at work, which does the same
END
$function$;

COMMENT ON FUNCTION logintel._summarize_indexes() IS 'Lets the BRIN indexes of predictions describe the pages written since the last time.';
