-- Makes one score of each shape canonical. Under the lock, nobody else inserts into the unique index, and no writer
-- ever waits for it.
CREATE OR REPLACE FUNCTION logintel._promote_scores() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    promoted bigint;
BEGIN
    PERFORM logintel._lock('scores');
    UPDATE logintel.shape_scores s SET canonical = true
    FROM (SELECT min(a.id) AS id FROM logintel.shape_scores a WHERE NOT a.canonical AND a.evicted_txid IS NULL
          GROUP BY a.model_set_id, a.shape_hash
          HAVING NOT EXISTS (SELECT FROM logintel.shape_scores c
                             WHERE c.canonical AND c.model_set_id = a.model_set_id AND c.shape_hash = a.shape_hash)) AS first
    WHERE s.id = first.id;
    GET DIAGNOSTICS promoted = ROW_COUNT;
    RETURN promoted;
END
$function$;

COMMENT ON FUNCTION logintel._promote_scores() IS 'Makes one score of each newly learned shape canonical; returns how many.';

CREATE OR REPLACE FUNCTION logintel._task_051_publish_scores() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF NOT logintel._try_lock('scores') THEN
        RETURN 0;  -- a deployment is at work, which has done it
    END IF;
    RETURN logintel._promote_scores();
END
$function$;

COMMENT ON FUNCTION logintel._task_051_publish_scores() IS 'Task of the upkeep: makes new scores canonical.';
