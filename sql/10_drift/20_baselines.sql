-- An ensemble has no training lines of its own: it is judged by those of its first member that has recorded them.
CREATE OR REPLACE FUNCTION logintel._baseline(model_id integer) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT coalesce(m.metadata -> 'baseline',
                    (SELECT b.metadata -> 'baseline'
                     FROM jsonb_array_elements_text(m.metadata -> 'members') WITH ORDINALITY AS v (version, position)
                     JOIN logintel_internal.models b ON b.name = m.name AND b.version = v.version::integer
                     WHERE b.metadata ? 'baseline' ORDER BY v.position LIMIT 1))
    FROM logintel_internal.models m WHERE m.id = model_id;
$function$;

COMMENT ON FUNCTION logintel._baseline(integer) IS 'What the training lines of a model version were like; null where nobody recorded it, as for the default models.';

CREATE OR REPLACE FUNCTION logintel._baseline_shares(baseline jsonb) RETURNS TABLE (service text, measure text, bin text, share double precision)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT p.service, 'classes', c.key, c.value::double precision
    FROM (SELECT NULL AS service, baseline AS shares UNION ALL SELECT s.key, s.value FROM jsonb_each(baseline -> 'services') s) AS p
    CROSS JOIN LATERAL jsonb_each_text(p.shares -> 'classes') AS c
    UNION ALL
    SELECT p.service, 'confidence', format('0.%s-%s', c.bin - 1, (c.bin / 10.0)::numeric(2, 1)), c.value::double precision
    FROM (SELECT NULL AS service, baseline AS shares UNION ALL SELECT s.key, s.value FROM jsonb_each(baseline -> 'services') s) AS p
    CROSS JOIN LATERAL jsonb_array_elements_text(p.shares -> 'confidence') WITH ORDINALITY AS c (value, bin)
    UNION ALL
    SELECT NULL, 'services', c.key, c.value::double precision FROM jsonb_each_text(baseline -> 'mix') AS c;
$function$;

COMMENT ON FUNCTION logintel._baseline_shares(jsonb) IS 'Shares of classes, of bins of confidence, and of services in the training lines; service is null for all lines.';

CREATE OR REPLACE FUNCTION logintel._record_baselines(model_ids integer[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $function$
    INSERT INTO logintel_internal.baselines (model_id, anomaly_threshold, hours, records_news)
    SELECT m.id, (b.baseline ->> 'anomaly_threshold')::real,
           (SELECT array_agg(h.share::double precision ORDER BY h.hour)
            FROM jsonb_array_elements_text(nullif(b.baseline -> 'hours', 'null')) WITH ORDINALITY AS h (share, hour)),
           b.baseline ?& '{templates,vocabulary}'
    FROM unnest(model_ids) AS m (id) CROSS JOIN LATERAL (SELECT logintel._baseline(m.id) AS baseline) AS b
    WHERE b.baseline IS NOT NULL;
    INSERT INTO logintel_internal.baseline_measures (model_id, service, measure, lines, usual)
    SELECT m.model_id, p.service, v.measure, (p.shares ->> 'lines')::double precision,
           (p.shares #>> ARRAY['usual', v.measure])::double precision
    FROM logintel_internal.baselines m
    CROSS JOIN LATERAL (SELECT logintel._baseline(m.model_id) AS baseline) AS b
    CROSS JOIN LATERAL (SELECT NULL AS service, b.baseline AS shares
                        UNION ALL SELECT s.key, s.value FROM jsonb_each(b.baseline -> 'services') AS s) AS p
    CROSS JOIN unnest('{classes,confidence,new_templates,unknown_words,services,new_services}'::text[]) AS v (measure)
    WHERE m.model_id = ANY (model_ids) AND (p.service IS NULL OR v.measure NOT IN ('services', 'new_services'));
    INSERT INTO logintel_internal.baseline_shares (model_id, service, measure, bin, share)
    SELECT m.model_id, s.service, s.measure, s.bin, s.share
    FROM logintel_internal.baselines m CROSS JOIN LATERAL logintel._baseline_shares(logintel._baseline(m.model_id)) AS s
    WHERE m.model_id = ANY (model_ids);
$function$;

COMMENT ON FUNCTION logintel._record_baselines(integer[]) IS 'Makes the rows of these versions in baselines, baseline_measures and baseline_shares.';
