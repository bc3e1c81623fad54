-- A pause is the mode off, and its end the mode before it. Who changes the mode locks its row first, as an UPDATE by hand
-- does; the trigger behind it then waits for upkeep.
CREATE OR REPLACE FUNCTION logintel._lock_mode() RETURNS text
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'SELECT s.value FROM logintel.settings s WHERE s.name = ''mode'' FOR UPDATE';

COMMENT ON FUNCTION logintel._lock_mode() IS 'The mode in force, which nobody else changes until the end of the transaction.';

CREATE OR REPLACE FUNCTION logintel._set_mode(new_mode text, why text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    UPDATE logintel.settings s SET value = new_mode WHERE s.name = 'mode';
    UPDATE logintel_internal.settings_history h SET why = _set_mode.why
    WHERE h.id = (SELECT max(c.id) FROM logintel_internal.settings_history c WHERE c.name = 'mode');
END
$function$;

COMMENT ON FUNCTION logintel._set_mode(text, text) IS 'Changes the mode to another one and remembers why.';

CREATE OR REPLACE FUNCTION logintel.pause(why text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF logintel._lock_mode() = 'off' THEN
        RAISE NOTICE 'scoring is paused already';
    ELSE
        PERFORM logintel._set_mode('off', pause.why);
        RAISE NOTICE 'lines are stored and wait for a prediction until SELECT logintel.resume()';
    END IF;
    RETURN logintel._setting('mode');
END
$function$;

COMMENT ON FUNCTION logintel.pause(text) IS 'Pauses scoring: the mode is off, inserts go on, and every line waits. Acts when the transaction commits; returns the mode now in force.';

CREATE OR REPLACE FUNCTION logintel.resume(why text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    waiting bigint;
BEGIN
    IF logintel._lock_mode() <> 'off' THEN
        RAISE NOTICE 'scoring is not paused';
    ELSE
        PERFORM logintel._set_mode(coalesce(
            (SELECT h.old_value FROM logintel_internal.settings_history h WHERE h.name = 'mode' ORDER BY h.id DESC LIMIT 1), 'inline'), resume.why);
        waiting := (SELECT count(DISTINCT (q.attachment_id, q.log_entry_id)) FROM logintel_internal.pending q);
        IF waiting > 0 THEN
            RAISE NOTICE 'lines that wait for a prediction: %; SELECT logintel.backfill() until it returns 0, or let "logintel worker" run', waiting;
        END IF;
    END IF;
    RETURN logintel._setting('mode');
END
$function$;

COMMENT ON FUNCTION logintel.resume(text) IS 'Ends a pause: back to the mode before it; lines that waited meanwhile are for backfill(). Acts when the transaction commits; returns the mode now in force.';
