-- Who trains is outside the server. These functions say what is to be trained, that it is being done, and what came of
-- it.
--
-- One at a time decides what is open. What was begun by a session that is gone is over.
CREATE OR REPLACE FUNCTION logintel._lock_retrainings() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    LOCK TABLE logintel_internal.retrainings IN SHARE ROW EXCLUSIVE MODE;
    UPDATE logintel_internal.retrainings r SET finished_at = now(), outcome = 'failed: interrupted'
    WHERE r.started_at IS NOT NULL AND r.finished_at IS NULL
      AND logintel._installer_session_began(r.pid) IS DISTINCT FROM r.session_began_at;
END
$function$;

COMMENT ON FUNCTION logintel._lock_retrainings() IS 'Waits until no other session decides about retrainings, and finishes those that were interrupted.';

CREATE OR REPLACE FUNCTION logintel._file_retraining(names text[]) RETURNS integer
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO logintel_internal.retrainings (names, reasons)
    VALUES (names, ARRAY(SELECT a.name || ': ' || r FROM logintel._retrain_advice() a, unnest(a.reasons) AS r WHERE a.name = ANY (names)))
    RETURNING id;
END;

COMMENT ON FUNCTION logintel._file_retraining(text[]) IS 'Writes a request and what speaks for it; returns its id.';

CREATE OR REPLACE FUNCTION logintel.request_retraining(names text[] DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    wanted text[] := logintel._model_names(names);
    request integer;
BEGIN
    PERFORM logintel._lock_retrainings();
    IF names IS NULL THEN
        SELECT min(r.id) INTO request FROM logintel_internal.retrainings r WHERE r.finished_at IS NULL;
        wanted := ARRAY(SELECT a.name FROM logintel._retrain_advice() a WHERE a.advised AND request IS NULL);
    ELSE
        UPDATE logintel_internal.retrainings r SET names = logintel._model_names(r.names || wanted) WHERE r.started_at IS NULL AND r.finished_at IS NULL
        RETURNING r.id INTO request;
    END IF;
    IF request IS NULL AND wanted <> '{}' THEN
        request := logintel._file_retraining(wanted);
    END IF;
    RETURN request;
END
$function$;

COMMENT ON FUNCTION logintel.request_retraining(text[]) IS 'Requests a retraining of these models, by default of those that ml_retrain_advice advises; "logintel worker" or "logintel retrain" does it. Returns the id of the request, or of the one that is open; null where nothing is advised.';

CREATE OR REPLACE FUNCTION logintel._begin_retraining(names text[] DEFAULT NULL, force boolean DEFAULT false) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    wanted text[] := logintel._model_names(names);
    running logintel_internal.retrainings;
    begun integer;
BEGIN
    PERFORM logintel._lock_retrainings();
    SELECT r.* INTO running FROM logintel_internal.retrainings r
        WHERE r.started_at IS NOT NULL AND r.finished_at IS NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'retraining % has been running since %', running.id, date_trunc('second', running.started_at)
            USING ERRCODE = 'object_in_use', HINT = 'One runs at a time: wait for its end, which logintel.ml_retrainings shows.';
    END IF;
    SELECT r.id INTO begun FROM logintel_internal.retrainings r WHERE r.finished_at IS NULL AND r.names <@ wanted;
    IF begun IS NULL AND NOT force THEN
        wanted := ARRAY(SELECT a.name FROM logintel._retrain_advice() a WHERE a.advised AND a.name = ANY (wanted));
    END IF;
    IF begun IS NULL AND wanted <> '{}' THEN
        begun := logintel._file_retraining(wanted);
    END IF;
    UPDATE logintel_internal.retrainings r
    SET names = CASE WHEN force THEN wanted ELSE r.names END, started_at = now(), pid = pg_backend_pid(),
        session_began_at = logintel._installer_session_began(pg_backend_pid())
    WHERE r.id = begun;
    RETURN begun;
END
$function$;

COMMENT ON FUNCTION logintel._begin_retraining(text[], boolean) IS 'For "logintel retrain": takes the open request, or what is advised (forced: all), among these models. Returns its id, null where nothing is to be done; an error while another one runs.';

CREATE OR REPLACE FUNCTION logintel._finish_retraining(id integer, outcome text, report jsonb DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    UPDATE logintel_internal.retrainings r
    SET finished_at = clock_timestamp(), outcome = _finish_retraining.outcome, report = _finish_retraining.report
    WHERE r.id = _finish_retraining.id AND r.started_at IS NOT NULL AND r.finished_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'retraining % is not running', _finish_retraining.id
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'logintel.ml_retrainings shows what became of it.';
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._finish_retraining(integer, text, jsonb) IS 'For "logintel retrain": says what came of a retraining that was begun.';
