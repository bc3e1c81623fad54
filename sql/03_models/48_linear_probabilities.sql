-- What linear models say of a shape. Whoever calls these sees to the plans: see _score_in_sql().

-- The keys of a shape: its words, pairs of neighbours, all words as one, tokens of the context, the level, and the
-- digest of its template where the training lines are known; 0 stands for the intercepts. The seed of the hash is what
-- a key is of.
CREATE OR REPLACE FUNCTION logintel._keys(words text[], context text[], level text, digest text) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
$function$
DECLARE
    keys bigint[] := ARRAY[0, hashtextextended(array_to_string(words, ' ') COLLATE "C", 2)];
    token text;
    before text;
BEGIN
    FOREACH token IN ARRAY words LOOP
        keys := keys || hashtextextended(token COLLATE "C", 0);
        IF before IS NOT NULL THEN
            keys := keys || hashtextextended((before || ' ' || token) COLLATE "C", 0);
        END IF;
        before := token;
    END LOOP;
    IF context IS NOT NULL THEN
        FOREACH token IN ARRAY context LOOP
            keys := keys || hashtextextended(token COLLATE "C", 1);
        END LOOP;
    END IF;
    IF level <> '' THEN
        keys := keys || hashtextextended(level COLLATE "C", 3);
    END IF;
    IF digest IS NOT NULL THEN
        keys := keys || hashtextextended(digest COLLATE "C", 5);
    END IF;
    RETURN keys;
END
$function$;

COMMENT ON FUNCTION logintel._keys(text[], text[], text, text) IS 'The keys by which weights are found, as often as each occurs.';


-- The probabilities of the 20 classes of one lane. exp() and small numbers raise errors where a result would be zero,
-- hence the -80. greatest() ignores null, which columns without a class have: 0 * x keeps it.
CREATE OR REPLACE FUNCTION logintel._lane_probabilities(lane logintel_internal.layouts, keys bigint[])
RETURNS double precision[]
LANGUAGE plpgsql STABLE AS
$function$
DECLARE
    top double precision;
    total double precision;
    x1 double precision; x2 double precision; x3 double precision; x4 double precision; x5 double precision;
    x6 double precision; x7 double precision; x8 double precision; x9 double precision; x10 double precision;
    x11 double precision; x12 double precision; x13 double precision; x14 double precision; x15 double precision;
    x16 double precision; x17 double precision; x18 double precision; x19 double precision; x20 double precision;
    known_words bigint; known_templates bigint;
BEGIN
    IF lane.has_norms THEN
        SELECT sum(s.s1 / s.norm), sum(s.s2 / s.norm), sum(s.s3 / s.norm), sum(s.s4 / s.norm), sum(s.s5 / s.norm),
               sum(s.s6 / s.norm), sum(s.s7 / s.norm), sum(s.s8 / s.norm), sum(s.s9 / s.norm), sum(s.s10 / s.norm),
               sum(s.s11 / s.norm), sum(s.s12 / s.norm), sum(s.s13 / s.norm), sum(s.s14 / s.norm),
               sum(s.s15 / s.norm), sum(s.s16 / s.norm), sum(s.s17 / s.norm), sum(s.s18 / s.norm),
               sum(s.s19 / s.norm), sum(s.s20 / s.norm),
               sum(s.rows) FILTER (WHERE s.part = -1), sum(s.rows) FILTER (WHERE s.part = -2)
        INTO x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x19, x20,
             known_words, known_templates
        FROM (SELECT sum(w.w1 * f.factor) AS s1, sum(w.w2 * f.factor) AS s2, sum(w.w3 * f.factor) AS s3,
                     sum(w.w4 * f.factor) AS s4, sum(w.w5 * f.factor) AS s5, sum(w.w6 * f.factor) AS s6,
                     sum(w.w7 * f.factor) AS s7, sum(w.w8 * f.factor) AS s8, sum(w.w9 * f.factor) AS s9,
                     sum(w.w10 * f.factor) AS s10, sum(w.w11 * f.factor) AS s11, sum(w.w12 * f.factor) AS s12,
                     sum(w.w13 * f.factor) AS s13, sum(w.w14 * f.factor) AS s14, sum(w.w15 * f.factor) AS s15,
                     sum(w.w16 * f.factor) AS s16, sum(w.w17 * f.factor) AS s17, sum(w.w18 * f.factor) AS s18,
                     sum(w.w19 * f.factor) AS s19, sum(w.w20 * f.factor) AS s20,
                     CASE WHEN w.norm > 0 THEN sqrt(sum(f.factor ^ 2)) ELSE 1 END AS norm,
                     w.norm AS part, count(*) AS rows
              FROM (SELECT u.key, count(*)::double precision AS count FROM unnest(keys) AS u (key) GROUP BY u.key) AS k
              JOIN logintel_internal.layout_weights w ON w.layout_id = lane.id AND w.key = k.key
              CROSS JOIN LATERAL (
                  SELECT CASE WHEN w.idf IS NULL THEN 1::double precision
                              ELSE k.count * w.idf::double precision END AS factor OFFSET 0) AS f
              GROUP BY w.norm) AS s;
    ELSE
        SELECT sum(w.w1::double precision), sum(w.w2::double precision), sum(w.w3::double precision),
               sum(w.w4::double precision), sum(w.w5::double precision), sum(w.w6::double precision),
               sum(w.w7::double precision), sum(w.w8::double precision), sum(w.w9::double precision),
               sum(w.w10::double precision), sum(w.w11::double precision), sum(w.w12::double precision),
               sum(w.w13::double precision), sum(w.w14::double precision), sum(w.w15::double precision),
               sum(w.w16::double precision), sum(w.w17::double precision), sum(w.w18::double precision),
               sum(w.w19::double precision), sum(w.w20::double precision),
               count(*) FILTER (WHERE w.norm = -1), count(*) FILTER (WHERE w.norm = -2)
        INTO x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x19, x20,
             known_words, known_templates
        FROM (SELECT DISTINCT u.key FROM unnest(keys) AS u (key)) AS k
        JOIN logintel_internal.layout_weights w ON w.layout_id = lane.id AND w.key = k.key;
    END IF;
    top := greatest(x1, x2, x3, x4, x5);
    x1 := exp(greatest(x1 - top, 0 * x1 - 80)); x2 := exp(greatest(x2 - top, 0 * x2 - 80));
    x3 := exp(greatest(x3 - top, 0 * x3 - 80)); x4 := exp(greatest(x4 - top, 0 * x4 - 80));
    x5 := exp(greatest(x5 - top, 0 * x5 - 80));
    total := coalesce(x1, 0) + coalesce(x2, 0) + coalesce(x3, 0) + coalesce(x4, 0) + coalesce(x5, 0);
    x1 := x1 / total; x2 := x2 / total; x3 := x3 / total; x4 := x4 / total; x5 := x5 / total;
    top := greatest(x6, x7, x8, x9, x10, x11, x12, x13);
    x6 := exp(greatest(x6 - top, 0 * x6 - 80)); x7 := exp(greatest(x7 - top, 0 * x7 - 80));
    x8 := exp(greatest(x8 - top, 0 * x8 - 80)); x9 := exp(greatest(x9 - top, 0 * x9 - 80));
    x10 := exp(greatest(x10 - top, 0 * x10 - 80)); x11 := exp(greatest(x11 - top, 0 * x11 - 80));
    x12 := exp(greatest(x12 - top, 0 * x12 - 80)); x13 := exp(greatest(x13 - top, 0 * x13 - 80));
    total := coalesce(x6, 0) + coalesce(x7, 0) + coalesce(x8, 0) + coalesce(x9, 0)
             + coalesce(x10, 0) + coalesce(x11, 0) + coalesce(x12, 0) + coalesce(x13, 0);
    x6 := x6 / total; x7 := x7 / total; x8 := x8 / total; x9 := x9 / total;
    x10 := x10 / total; x11 := x11 / total; x12 := x12 / total; x13 := x13 / total;
    top := greatest(x14, x15, x16, x17, x18, x19, x20);
    x14 := exp(greatest(x14 - top, 0 * x14 - 80)); x15 := exp(greatest(x15 - top, 0 * x15 - 80));
    x16 := exp(greatest(x16 - top, 0 * x16 - 80)); x17 := exp(greatest(x17 - top, 0 * x17 - 80));
    x18 := exp(greatest(x18 - top, 0 * x18 - 80)); x19 := exp(greatest(x19 - top, 0 * x19 - 80));
    x20 := exp(greatest(x20 - top, 0 * x20 - 80));
    total := coalesce(x14, 0) + coalesce(x15, 0) + coalesce(x16, 0) + coalesce(x17, 0)
             + coalesce(x18, 0) + coalesce(x19, 0) + coalesce(x20, 0);
    x14 := x14 / total; x15 := x15 / total; x16 := x16 / total; x17 := x17 / total;
    x18 := x18 / total; x19 := x19 / total; x20 := x20 / total;
    RETURN ARRAY[x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x19, x20,
                 coalesce(known_words, 0), coalesce(known_templates, 0)];
END
$function$;

COMMENT ON FUNCTION logintel._lane_probabilities(logintel_internal.layouts, bigint[]) IS 'What the models of one lane say of a shape: a probability for each column, null where no class has it; then how many of its words and templates the training lines had.';


CREATE OR REPLACE FUNCTION logintel._linear_probabilities(lanes logintel_internal.layouts[], keys bigint[])
RETURNS double precision[]
LANGUAGE plpgsql STABLE AS
$function$
DECLARE
    said double precision[] := logintel._lane_probabilities(lanes[1], keys);
    all_said double precision[];
BEGIN
    IF cardinality(lanes) = 1 THEN
        RETURN said;
    END IF;
    all_said := said[1:20];
    FOR i IN 2 .. cardinality(lanes) LOOP
        all_said := all_said || (logintel._lane_probabilities(lanes[i], keys))[1:20];
    END LOOP;
    RETURN logintel._combined(all_said, lanes[1].votes) || said[21:22];
END
$function$;

COMMENT ON FUNCTION logintel._linear_probabilities(logintel_internal.layouts[], bigint[]) IS 'What the linear models of a set say of a shape: as _lane_probabilities().';


-- Ensembles, as logintel_server/ensembles.py combines them: the mean of what the members say, or the shares of their
-- votes, which the mean decides where they are equal. said has 20 values a lane; a lane without a member says nothing
-- of its columns.
CREATE OR REPLACE FUNCTION logintel._combined(said double precision[], votes boolean[]) RETURNS double precision[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
$function$
BEGIN
    RETURN (SELECT array_agg(CASE WHEN votes[c.part] THEN (1 - 1e-9) * c.vote + 1e-9 * c.mean ELSE c.mean END
                             ORDER BY c.number)
    FROM (SELECT a.number, a.part, sum(a.probability) / max(a.members) AS mean, sum(a.vote) / max(a.members) AS vote
          FROM (SELECT p.*, count(p.top) FILTER (WHERE p.first) OVER (PARTITION BY p.part) AS members,
                       CASE WHEN p.probability IS NOT NULL
                            THEN (p.number = p.label)::integer::double precision END AS vote
                FROM (SELECT s.*, row_number() OVER (PARTITION BY s.lane, s.part ORDER BY s.number) = 1 AS first,
                             max(s.probability) OVER (PARTITION BY s.lane, s.part) AS top,
                             first_value(s.number) OVER (PARTITION BY s.lane, s.part
                                                         ORDER BY s.probability DESC NULLS LAST, s.number) AS label
                      FROM (SELECT v.probability, (v.n - 1) / 20 AS lane, (v.n - 1) % 20 + 1 AS number,
                                   CASE WHEN (v.n - 1) % 20 < 5 THEN 1
                                        WHEN (v.n - 1) % 20 < 13 THEN 2 ELSE 3 END AS part
                            FROM unnest(said) WITH ORDINALITY AS v (probability, n)) AS s) AS p) AS a
          GROUP BY a.number, a.part) AS c);
END
$function$;

COMMENT ON FUNCTION logintel._combined(double precision[], boolean[]) IS 'What the lanes of a layout say together.';
