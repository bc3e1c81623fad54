-- An ensemble is a version like any other, so deploying, testing and rolling back need to know nothing of it. It has no
-- graph of its own: the server runs its members and combines what they say.
CREATE OR REPLACE FUNCTION logintel.create_ensemble(name text, versions integer[], combine text DEFAULT 'average') RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    members integer[] := ARRAY(SELECT DISTINCT v FROM unnest(versions) AS v ORDER BY v);
    member_ids integer[];
    other record;
BEGIN
    IF combine IS NULL OR combine NOT IN ('average', 'vote') THEN
        RAISE EXCEPTION 'an ensemble cannot combine its members by "%"', combine
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use average (of their probabilities) or vote.';
    ELSIF cardinality(members) < 2 THEN
        RAISE EXCEPTION 'an ensemble of model "%" needs two versions or more', name
            USING ERRCODE = 'invalid_parameter_value', HINT = logintel._usable_versions();
    END IF;
    PERFORM logintel._lock_deployments();
    member_ids := ARRAY(SELECT logintel._find_model(create_ensemble.name, v) FROM unnest(members) AS v);
    PERFORM logintel._usable_model(create_ensemble.name, v) FROM unnest(members) AS v;
    SELECT m.version, m.metadata ->> 'kind' AS kind INTO other FROM logintel_internal.models m
    WHERE m.id = ANY (member_ids) AND m.metadata ->> 'kind' <> 'classifier' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'model % % is an %; the members of an ensemble are classifiers', name, other.version,
                        CASE other.kind WHEN 'ensemble' THEN other.kind ELSE other.kind || ' model' END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = CASE other.kind WHEN 'ensemble' THEN 'Name its members instead.' ELSE 'Only classifiers have probabilities to combine.' END;
    END IF;
    RETURN logintel._add_version(
        create_ensemble.name, NULL, logintel._ensemble_sha256(member_ids, combine),
        jsonb_build_object('kind', 'ensemble', 'combine', combine, 'members', members,
                           'classes', (SELECT jsonb_agg(c.class ORDER BY c.first)
                                       FROM (SELECT k.class, min(ARRAY[m.version, k.n]) AS first
                                           FROM logintel_internal.models m
                                             CROSS JOIN jsonb_array_elements_text(m.metadata -> 'classes') WITH ORDINALITY AS k (class, n)
                                             WHERE m.id = ANY (member_ids) GROUP BY k.class) AS c)), '[]');
END
$function$;

COMMENT ON FUNCTION logintel.create_ensemble(text, integer[], text) IS 'Registers a version that combines others of the model: the average of their probabilities, or a vote of one each. Returns its number, for deploy() and A/B tests as any other.';

CREATE OR REPLACE FUNCTION logintel._members(model_id integer) RETURNS integer[]
LANGUAGE sql STABLE
RETURN (SELECT coalesce(array_agg(m.id ORDER BY m.version), '{}') FROM logintel_internal.models e
        JOIN logintel_internal.models m ON m.name = e.name AND e.metadata -> 'members' @> to_jsonb(m.version)
        WHERE e.id = model_id AND e.metadata ->> 'kind' = 'ensemble');

COMMENT ON FUNCTION logintel._members(integer) IS 'Ids of the versions that an ensemble combines; empty for any other version.';

-- The server package computes the same whenever it loads an ensemble.
CREATE OR REPLACE FUNCTION logintel._ensemble_sha256(member_ids integer[], combine text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT encode(sha256(convert_to(combine || ':' || string_agg(m.sha256, ',' ORDER BY m.version), 'UTF8')), 'hex')
        FROM logintel_internal.models m WHERE m.id = ANY (member_ids));

COMMENT ON FUNCTION logintel._ensemble_sha256(integer[], text) IS 'SHA-256 of an ensemble: of those of its members and the way of combining.';

CREATE OR REPLACE FUNCTION logintel._is_default(model_id integer) RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT bool_and(m.metadata ->> 'origin' IS NOT DISTINCT FROM 'default') FROM logintel_internal.models m
        WHERE m.id = ANY (coalesce(nullif(logintel._members(model_id), '{}'), ARRAY[model_id])));

COMMENT ON FUNCTION logintel._is_default(integer) IS 'Whether a version is a default model, or an ensemble of nothing else.';
