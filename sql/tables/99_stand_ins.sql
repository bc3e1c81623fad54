-- Stand-ins for what other parts of the same release make: ml_drift, ab_tests, start_ab_test(). To be deleted with them.
CREATE TABLE logintel.ab_tests (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, champion_id integer, challenger_id integer, share double precision,
    metric text, auto boolean, why text, started_at timestamptz DEFAULT now(), ended_at timestamptz);

CREATE VIEW logintel.ml_drift AS
SELECT ''::text AS name, 0 AS version, current_date AS day, ''::text AS service, ''::text AS measure, 0::double precision AS value, ''::text AS state
WHERE false;

COMMENT ON VIEW logintel.ml_drift IS 'Stand-in.';
COMMENT ON COLUMN logintel.ml_drift.name IS 'Stand-in.';
COMMENT ON COLUMN logintel.ml_drift.version IS 'Stand-in.';
COMMENT ON COLUMN logintel.ml_drift.day IS 'Stand-in.';
COMMENT ON COLUMN logintel.ml_drift.service IS 'Stand-in.';
COMMENT ON COLUMN logintel.ml_drift.measure IS 'Stand-in.';
COMMENT ON COLUMN logintel.ml_drift.value IS 'Stand-in.';
COMMENT ON COLUMN logintel.ml_drift.state IS 'Stand-in.';

CREATE FUNCTION logintel.start_ab_test(
    name text, challenger integer, share double precision DEFAULT 0, metric text DEFAULT 'feedback', minimum_sample integer DEFAULT 100,
    significance double precision DEFAULT 0.05, auto boolean DEFAULT false, why text DEFAULT NULL
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    test integer;
BEGIN
    INSERT INTO logintel.ab_tests (name, champion_id, challenger_id, share, metric, auto, why)
    SELECT start_ab_test.name, c.id, m.id, start_ab_test.share, start_ab_test.metric, start_ab_test.auto, start_ab_test.why
    FROM logintel.models m
    JOIN logintel.model_sets s ON s.id = (SELECT d.model_set_id FROM logintel.deployments d ORDER BY d.id DESC LIMIT 1)
    JOIN logintel.models c ON c.id = ANY (s.model_ids) AND c.name = m.name
    WHERE m.name = start_ab_test.name AND m.version = challenger
    RETURNING id INTO STRICT test;
    RETURN test;
END
$function$;

COMMENT ON TABLE logintel.ab_tests IS 'Stand-in.';
COMMENT ON FUNCTION logintel.start_ab_test(text, integer, double precision, text, integer, double precision, boolean, text) IS 'Stand-in.';
DO $block$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT a.attname FROM pg_attribute a WHERE a.attrelid = 'logintel.ab_tests'::regclass AND a.attnum > 0 LOOP
        EXECUTE format('COMMENT ON COLUMN logintel.ab_tests.%I IS ''Stand-in.''', name);
    END LOOP;
END
$block$;
