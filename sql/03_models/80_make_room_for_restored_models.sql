-- A dump brings all models, sets and deployments along, the default ones too, and meets those that CREATE EXTENSION has
-- just made. A row that cannot go in beside one of these is a dump's, since whoever registers or deploys takes a number of
-- his own: they make room for it, unless they have been used since. A restore may load these tables in any order, or at
-- once, by several sessions. Its own rows are from before the installation.
CREATE OR REPLACE FUNCTION logintel._make_room_for_restored_models(installed_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    IF NOT EXISTS (SELECT FROM logintel_internal.deployments d WHERE d.deployed_at > installed_at)
       AND NOT EXISTS (SELECT FROM logintel_internal.scores s WHERE s.scored_at > installed_at) THEN
        DELETE FROM logintel_internal.deployments d WHERE d.deployed_at = installed_at;
        DELETE FROM logintel_internal.serving v WHERE v.since = installed_at;
        DELETE FROM logintel_internal.model_sets s WHERE s.created_at = installed_at;
        DELETE FROM logintel_internal.models m WHERE m.created_at = installed_at;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._make_room_for_restored_models(timestamptz) IS 'Removes what CREATE EXTENSION registered and deployed at that time, unless it was used since.';

CREATE OR REPLACE FUNCTION logintel._replace_installed_model() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._make_room_for_restored_models(m.created_at) FROM logintel_internal.models m
    WHERE (m.id = NEW.id OR (m.name = NEW.name AND m.version = NEW.version)) AND m.metadata ->> 'origin' = 'default';
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION logintel._replace_installed_model() IS 'Trigger on models: the rows of a dump take the place of those of the installation.';

CREATE OR REPLACE TRIGGER replace_installed_model BEFORE INSERT ON logintel_internal.models
    FOR EACH ROW EXECUTE FUNCTION logintel._replace_installed_model();

CREATE OR REPLACE FUNCTION logintel._replace_installed_set() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._make_room_for_restored_models(s.created_at) FROM logintel_internal.model_sets s
    WHERE s.id = NEW.id OR s.model_ids = NEW.model_ids;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION logintel._replace_installed_set() IS 'Trigger on model_sets: the rows of a dump take the place of those of the installation.';

CREATE OR REPLACE TRIGGER replace_installed_set BEFORE INSERT ON logintel_internal.model_sets
    FOR EACH ROW EXECUTE FUNCTION logintel._replace_installed_set();

CREATE OR REPLACE FUNCTION logintel._replace_installed_deployment() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._make_room_for_restored_models(d.deployed_at) FROM logintel_internal.deployments d
        WHERE d.id = NEW.id;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION logintel._replace_installed_deployment() IS 'Trigger on deployments: the rows of a dump take the place of those of the installation.';

CREATE OR REPLACE TRIGGER replace_installed_deployment BEFORE INSERT ON logintel_internal.deployments
    FOR EACH ROW EXECUTE FUNCTION logintel._replace_installed_deployment();

CREATE OR REPLACE FUNCTION logintel._replace_installed_serving() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    PERFORM logintel._make_room_for_restored_models(v.since) FROM logintel_internal.serving v WHERE v.id = NEW.id;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION logintel._replace_installed_serving() IS 'Trigger on serving: the rows of a dump take the place of those of the installation.';

CREATE OR REPLACE TRIGGER replace_installed_serving BEFORE INSERT ON logintel_internal.serving
    FOR EACH ROW EXECUTE FUNCTION logintel._replace_installed_serving();
