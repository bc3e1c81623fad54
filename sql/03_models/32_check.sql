-- Each graph in force runs its golden cases here, as when it was registered.
CREATE OR REPLACE FUNCTION logintel._check_031_models() RETURNS TABLE (status text, detail text, next_step text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    model record;
    sound text[];
    unsound boolean := false;
BEGIN
    FOR model IN SELECT m.*, CASE WHEN m.id <> d.id THEN format(', member of %s %s', d.name, d.version) ELSE '' END AS part
                 FROM logintel_internal.models d
                 CROSS JOIN unnest(d.id || logintel._members(d.id)) AS parts (id)
                 JOIN logintel_internal.models m ON m.id = parts.id
                 WHERE logintel._is_in_force(d.id) ORDER BY d.name, m.id <> d.id, m.version LOOP
        BEGIN
            status := 'ok';
            IF model.metadata ->> 'kind' = 'ensemble' THEN
                detail := format('%s %s combines its members by %s', model.name, model.version, model.metadata ->> 'combine');
                IF logintel._ensemble_sha256(logintel._members(model.id), model.metadata ->> 'combine') <> model.sha256 THEN
                    RAISE EXCEPTION 'its members do not match its SHA-256';
                END IF;
            ELSE
                detail := format('%s %s%s reproduces its golden cases', model.name, model.version, model.part);
                PERFORM logintel._check_again(model.id);
            END IF;
            IF logintel._is_of_other_shapes(model.metadata) THEN
                status := 'problem';
                detail := format('%s %s%s was trained with another version of the shape function', model.name, model.version, model.part);
                next_step := CASE WHEN model.metadata ->> 'origin' = 'default' THEN 'SELECT logintel.register_default_models()'
                                  ELSE 'train it again: logintel train --deploy' END;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            status := 'problem';
            detail := format('%s %s%s: %s', model.name, model.version, model.part, SQLERRM);
            next_step := format('SELECT logintel.rollback(%L), or train again: logintel train --deploy', model.name);
        END;
        IF status = 'ok' THEN
            sound := sound || detail;
        ELSE
            unsound := true;
            RETURN NEXT;
        END IF;
    END LOOP;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'problem', 'no model is deployed', 'logintel train --deploy';
    ELSIF NOT unsound THEN
        RETURN QUERY SELECT 'ok', array_to_string(sound, '; '), NULL;
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._check_031_models() IS 'Check of doctor(): the models in force.';
