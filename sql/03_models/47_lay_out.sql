-- What each column of a layout stands for: the five levels, then the classes of its category and its anomaly model.
CREATE OR REPLACE FUNCTION logintel._layout_columns(model_ids integer[]) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT '{DEBUG,INFO,WARN,ERROR,FATAL}'::text[]
           || (coalesce(logintel._set_classes($1, 'category'), '{}') || array_fill(NULL::text, '{8}'))[1:8]
           || (coalesce(logintel._set_classes($1, 'anomaly'), '{}') || array_fill(NULL::text, '{7}'))[1:7];
$function$;

COMMENT ON FUNCTION logintel._layout_columns(integer[]) IS 'The classes that the 20 columns of a layout stand for.';


CREATE OR REPLACE FUNCTION logintel._set_classes(model_ids integer[], name text) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT coalesce(l.classes, ARRAY(SELECT jsonb_array_elements_text(m.metadata -> 'classes')))
    FROM logintel_internal.models m
    LEFT JOIN logintel_internal.linear_models l ON l.model_id = m.id
    WHERE m.id = ANY ($1) AND m.name = $2;
$function$;

COMMENT ON FUNCTION logintel._set_classes(integer[], text) IS 'The classes of the model of this name among some.';


-- The graphs of models: their own, or those of the members of an ensemble. slots says where in the weights of a part
-- each column finds its class.
CREATE OR REPLACE FUNCTION logintel._layout_parts(model_ids integer[]) RETURNS TABLE (
    lane bigint, name text, model_id integer, slots integer[]
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT p.lane, m.name, p.id, ARRAY(
               SELECT CASE WHEN c.n BETWEEN o.first_column AND o.first_column + o.most - 1
                           THEN array_position(l.classes, c.class) END
               FROM unnest(logintel._layout_columns($1)) WITH ORDINALITY AS c (class, n) ORDER BY c.n)
    FROM logintel_internal.models m
    CROSS JOIN unnest(coalesce(nullif(logintel._members(m.id), '{}'), ARRAY[m.id])) WITH ORDINALITY AS p (id, lane)
    LEFT JOIN logintel_internal.linear_models l ON l.model_id = p.id
    CROSS JOIN logintel._columns_of(m.name) AS o
    WHERE m.id = ANY ($1);
$function$;

COMMENT ON FUNCTION logintel._layout_parts(integer[]) IS 'The graphs that score for models, with the lane and the columns of each.';


-- A layout without its intercepts has lost rows.
CREATE OR REPLACE FUNCTION logintel._is_laid_out(model_set_id integer) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT EXISTS (SELECT FROM logintel_internal.layouts l
                   WHERE l.model_set_id = $1 AND l.lane = 1 AND l.hash_canary = logintel._hash_canary()
                     AND EXISTS (SELECT FROM logintel_internal.layout_weights w
                         WHERE w.layout_id = l.id AND w.key = 0));
$function$;

COMMENT ON FUNCTION logintel._is_laid_out(integer) IS 'Whether SQL can score with a set.';


-- Lays a set out, where that is not done yet. Returns why SQL cannot score with it, null where it can.
CREATE OR REPLACE FUNCTION logintel._lay_out(model_set_id integer) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    ids integer[] := (SELECT s.model_ids FROM logintel_internal.model_sets s WHERE s.id = $1);
    fault text;
BEGIN
    IF logintel._is_laid_out($1) THEN
        RETURN NULL;
    END IF;
    DELETE FROM logintel_internal.layouts l WHERE l.model_set_id = $1;
    SELECT string_agg(format('%s %s: %s', m.name, m.version, f.fault), '; ' ORDER BY m.name, m.version) INTO fault
    FROM logintel._layout_parts(ids) p
    JOIN logintel_internal.models m ON m.id = p.model_id
    CROSS JOIN LATERAL logintel._make_linear(p.model_id) AS f (fault)
    WHERE f.fault IS NOT NULL;
    IF fault IS NULL AND EXISTS (SELECT FROM unnest('{level,category,anomaly}'::text[]) AS n (name)
                                 WHERE cardinality(logintel._set_classes(ids, n.name))
                                       > (logintel._columns_of(n.name)).most) THEN
        fault := 'an ensemble has more classes than SQL takes';
    END IF;
    IF fault IS NULL THEN
        PERFORM logintel._add_lane($1, ids, p.lane)
        FROM (SELECT DISTINCT p.lane FROM logintel._layout_parts(ids) p) AS p;
        PERFORM logintel._add_known_lines($1, ids);
    END IF;
    RETURN fault;
END
$function$;

COMMENT ON FUNCTION logintel._lay_out(integer) IS 'Makes the layout of a model set where all its models are linear; returns what stands in the way.';


CREATE OR REPLACE FUNCTION logintel._add_lane(model_set_id integer, model_ids integer[], lane bigint)
RETURNS logintel_internal.layouts
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS
$function$
DECLARE
    columns text[] := logintel._layout_columns(model_ids);
    made logintel_internal.layouts;
BEGIN
    INSERT INTO logintel_internal.layouts (model_set_id, lane, hash_canary, has_norms, reads_context, reads_level,
        knows_lines,
                                  has_level, categories, anomaly_types, votes)
    SELECT $1, $3, logintel._hash_canary(),
           EXISTS (SELECT FROM logintel._layout_parts($2) p JOIN logintel_internal.linear_weights w USING (model_id)
                   WHERE p.lane = $3 AND w.idf IS NOT NULL),
           coalesce(bool_or('context' = ANY (l.features)), false), coalesce(bool_or('level' = ANY (l.features)), false),
           false, logintel._set_classes($2, 'level') IS NOT NULL,
           nullif(array_remove(columns[6:13], NULL), '{}'), nullif(array_remove(columns[14:20], NULL), '{}'),
           ARRAY(SELECT EXISTS (SELECT FROM logintel_internal.models m
                                WHERE m.id = ANY ($2) AND m.name = n.name AND m.metadata ->> 'kind' = 'ensemble'
                                  AND m.metadata ->> 'combine' = 'vote')
                 FROM unnest('{level,category,anomaly}'::text[]) WITH ORDINALITY AS n (name, number) ORDER BY n.number)
    FROM logintel._layout_parts($2) p JOIN logintel_internal.linear_models l USING (model_id)
    RETURNING * INTO made;
    INSERT INTO logintel_internal.layout_weights
    SELECT made.id, w.key, CASE WHEN w.norm > 0 THEN 100 * p.first_column + w.norm ELSE w.norm END AS norm_here, w.idf,
           max(w.weights[p.slots[1]]), max(w.weights[p.slots[2]]), max(w.weights[p.slots[3]]),
           max(w.weights[p.slots[4]]), max(w.weights[p.slots[5]]), max(w.weights[p.slots[6]]),
           max(w.weights[p.slots[7]]), max(w.weights[p.slots[8]]), max(w.weights[p.slots[9]]),
           max(w.weights[p.slots[10]]), max(w.weights[p.slots[11]]), max(w.weights[p.slots[12]]),
           max(w.weights[p.slots[13]]), max(w.weights[p.slots[14]]), max(w.weights[p.slots[15]]),
           max(w.weights[p.slots[16]]), max(w.weights[p.slots[17]]), max(w.weights[p.slots[18]]),
           max(w.weights[p.slots[19]]), max(w.weights[p.slots[20]])
    FROM (SELECT q.*, (logintel._columns_of(q.name)).first_column
          FROM logintel._layout_parts($2) q WHERE q.lane = $3) AS p
    CROSS JOIN LATERAL (
        SELECT l.key, l.norm, l.idf, l.weights FROM logintel_internal.linear_weights l WHERE l.model_id = p.model_id
        UNION ALL
        SELECT 0, 0, NULL, ARRAY(SELECT CASE WHEN abs(i) > 1e-30 THEN i ELSE 0 END::real
                                 FROM unnest(l.intercepts) WITH ORDINALITY AS u (i, n) ORDER BY u.n)
        FROM logintel_internal.linear_models l WHERE l.model_id = p.model_id) AS w
    GROUP BY w.key, norm_here, w.idf;
    RETURN made;
END
$function$;

COMMENT ON FUNCTION logintel._add_lane(integer, integer[], bigint) IS 'Lays the graphs of one lane side by side.';


-- What the training lines had, by the baseline of the first model that has one: of level, else category, else anomaly.
CREATE OR REPLACE FUNCTION logintel._add_known_lines(model_set_id integer, model_ids integer[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    layout_id integer;
    baseline jsonb := (
        SELECT m.metadata -> 'baseline' FROM logintel._layout_parts($2) p
            JOIN logintel_internal.models m ON m.id = p.model_id
        WHERE m.metadata -> 'baseline' ?& '{templates,vocabulary}'
        ORDER BY (logintel._columns_of(p.name)).first_column, p.lane LIMIT 1);
BEGIN
    IF baseline IS NOT NULL THEN
        UPDATE logintel_internal.layouts l SET knows_lines = true WHERE l.model_set_id = $1 AND l.lane = 1
        RETURNING l.id INTO layout_id;
        INSERT INTO logintel_internal.layout_weights (layout_id, key, norm)
        SELECT layout_id, hashtextextended(k.word COLLATE "C", 0), -1
        FROM jsonb_array_elements_text(baseline -> 'vocabulary') AS k (word)
        WHERE k.word <> '<*>' AND strpos(k.word, ' ') = 0
        UNION
        SELECT layout_id, hashtextextended(k.digest COLLATE "C", 5), -2
        FROM jsonb_array_elements_text(baseline -> 'templates') AS k (digest);
    END IF;
END
$function$;

COMMENT ON FUNCTION logintel._add_known_lines(integer, integer[]) IS 'Puts the words and templates of the training lines beside the weights of a set.';


CREATE OR REPLACE FUNCTION logintel._on_deployment_prepared_031_lay_out(model_set_id bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'SELECT logintel._lay_out($1::integer)';

COMMENT ON FUNCTION logintel._on_deployment_prepared_031_lay_out(bigint) IS 'Lays a set out before it serves lines.';


-- The sets that score lines, or are asked beside them.
CREATE OR REPLACE FUNCTION logintel._served_sets() RETURNS integer[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT array_remove((SELECT v.shadow_set_ids || v.challenger_set_id || v.model_set_id FROM logintel._serving() v)
                        || logintel._sets_of_handlers('laid_out_sets'), NULL);
$function$;

COMMENT ON FUNCTION logintel._served_sets() IS 'The model sets that serve lines, shadow those that do, or are asked by a capability.';


-- Of a set without a layout it may be known that SQL cannot score with it.
CREATE OR REPLACE FUNCTION logintel._sets_to_lay_out() RETURNS integer[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT coalesce(array_agg(s.id), '{}') FROM unnest(logintel._served_sets()) AS s (id)
    WHERE NOT logintel._is_laid_out(s.id)
      AND NOT EXISTS (SELECT FROM logintel_internal.model_sets m CROSS JOIN logintel._layout_parts(m.model_ids) p
                      JOIN logintel_internal.linear_models l USING (model_id)
                      WHERE m.id = s.id AND l.hash_canary = logintel._hash_canary() AND l.fault IS NOT NULL);
$function$;

COMMENT ON FUNCTION logintel._sets_to_lay_out() IS 'The sets that serve lines and lack their layout.';


-- A database that was updated, or restored in parts, has no layouts: upkeep makes those that are missing. It removes
-- those of sets that no longer serve, and a day after their registration the rows of versions that do not either: a
-- deployment makes them again. While somebody deploys, it leaves that to its next run. A set that cannot be laid out
-- keeps no other from it; doctor() tells what is corrupt.
CREATE OR REPLACE FUNCTION logintel._task_031_lay_out_models() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    set_id integer;
    made bigint := 0;
    removed bigint;
BEGIN
    IF logintel._sets_to_lay_out() = '{}'
       AND NOT EXISTS (SELECT FROM logintel_internal.layouts l
           WHERE l.model_set_id <> ALL (logintel._served_sets())) THEN
        RETURN 0;
    ELSIF NOT logintel._try_lock('deployments') THEN
        RETURN 0;
    END IF;
    FOREACH set_id IN ARRAY logintel._sets_to_lay_out() LOOP
        BEGIN
            PERFORM logintel._lay_out(set_id);
            made := made + 1;
        EXCEPTION WHEN data_corrupted OR invalid_parameter_value THEN
            NULL;
        END;
    END LOOP;
    DELETE FROM logintel_internal.layouts l WHERE l.model_set_id <> ALL (logintel._served_sets());
    GET DIAGNOSTICS removed = ROW_COUNT;
    DELETE FROM logintel_internal.linear_weights w WHERE w.model_id IN (
        SELECT l.model_id FROM logintel_internal.linear_models l JOIN logintel_internal.models m ON m.id = l.model_id
        WHERE m.created_at < now() - interval '1 day'
          AND NOT EXISTS (SELECT FROM logintel_internal.model_sets s CROSS JOIN logintel._layout_parts(s.model_ids) p
                          WHERE s.id = ANY (logintel._served_sets()) AND p.model_id = l.model_id));
    RETURN made + removed;
END
$function$;

COMMENT ON FUNCTION logintel._task_031_lay_out_models() IS 'Upkeep: lays out the sets that serve lines, and removes the layouts and rows of others.';
