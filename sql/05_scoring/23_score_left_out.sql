-- The cold half of the write path: lines whose shapes are new, or were learned since the last upkeep. They come from a cursor
-- in batches, so that a statement may insert any number. Models score the shapes that nobody knows; lines that stay without
-- a score are pending. Nothing in here refuses a line: what a model raises becomes a warning.
CREATE OR REPLACE FUNCTION logintel._score_left_out(left_out refcursor) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    serving logintel.serving := (SELECT v FROM logintel._serving() v);
    mode text := logintel._setting('mode');
    lines logintel._line[];
    reason text := CASE WHEN serving IS NULL AND mode <> 'off' THEN 'no model is deployed' END;
    waiting bigint := 0;
BEGIN
    PERFORM set_config('logintel.left_out', '', true);
    LOOP
        FETCH left_out INTO lines;
        EXIT WHEN NOT FOUND;
        IF mode = 'inline' THEN
            reason := coalesce(logintel._try_to_score(lines, serving), reason);
        END IF;
        waiting := waiting + logintel._write_predictions(lines, serving);
    END LOOP;
    CLOSE left_out;
    IF waiting > 0 AND reason IS NOT NULL THEN
        PERFORM logintel._warn_pending(reason, waiting, serving.model_set_id);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._score_left_out(refcursor) IS 'Scores the lines that the hot path left out, or leaves them pending with a warning.';

-- One subtransaction a model set: a challenger that fails leaves only its own lines, and what it raised takes nothing else
-- along.
CREATE OR REPLACE FUNCTION logintel._try_to_score(lines logintel._line[], serving logintel.serving) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    batch record;
    reason text;
BEGIN
    FOR batch IN SELECT b.model_set_id, array_agg(b.shapes) AS parts
                 FROM logintel._unknown_batches(lines, serving) b GROUP BY b.model_set_id LOOP
        BEGIN
            FOR part IN 1 .. cardinality(batch.parts) LOOP
                PERFORM logintel._score_and_remember(batch.model_set_id, batch.parts[part], canonical => false, at_write => true);
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            IF SQLSTATE LIKE '40%' THEN
                RAISE;  -- the transaction has to be retried, and only its owner can do that
            END IF;
            reason := SQLERRM;
        END;
    END LOOP;
    RETURN reason;
END
$function$;

COMMENT ON FUNCTION logintel._try_to_score(logintel._line[], logintel.serving) IS 'Has the models score the unknown shapes of lines; returns what failed, null where nothing did.';
