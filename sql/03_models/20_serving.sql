-- What serves lines, read in one place and written in one place.
CREATE OR REPLACE FUNCTION logintel._serving() RETURNS SETOF logintel_internal.serving
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.* FROM logintel_internal.serving s ORDER BY s.id DESC LIMIT 1;
END;

COMMENT ON FUNCTION logintel._serving() IS 'What serves lines, under the snapshot of the statement; no row while nothing is deployed.';

CREATE OR REPLACE FUNCTION logintel._set_in_force() RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT s.model_set_id FROM logintel_internal.serving s ORDER BY s.id DESC LIMIT 1);

COMMENT ON FUNCTION logintel._set_in_force() IS 'The model set in force, under the snapshot of the statement; null when nothing is deployed.';

CREATE OR REPLACE FUNCTION logintel._serve(
    model_set_id integer, test_id integer DEFAULT NULL, share double precision DEFAULT NULL,
    challenger_set_id integer DEFAULT NULL, shadow_set_ids integer[] DEFAULT '{}'
) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    INSERT INTO logintel_internal.serving (model_set_id, test_id, share, challenger_set_id, shadow_set_ids)
    VALUES ($1, $2, $3, $4, $5);
$function$;

COMMENT ON FUNCTION logintel._serve(integer, integer, double precision, integer, integer[]) IS 'Lets a model set serve lines from here on, and a challenger its share of them; the caller holds the lock of deployments.';
