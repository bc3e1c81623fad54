-- DEBUG or INFO, and ERROR or FATAL, are habits of who writes them; whether there is a problem is what matters.
CREATE OR REPLACE FUNCTION logintel._level_kind(level text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN level IN ('DEBUG', 'INFO') THEN 1 WHEN level = 'WARN' THEN 2
            WHEN level IN ('ERROR', 'FATAL') THEN 3 END;

COMMENT ON FUNCTION logintel._level_kind(text) IS '1 for DEBUG and INFO, 2 for WARN, 3 for ERROR and FATAL.';

-- What counts is the probability of all levels of a higher kind, or of a lower one, not that of the likeliest level. To
-- lower a level takes more than to raise it, half of what is left to certainty: what the mask hides, such as a status,
-- may be the reason for it, and nobody looks at what was lowered wrongly. An evicted score has no probabilities left.
CREATE OR REPLACE FUNCTION logintel._corrects(
    declared text, predicted text, confidence real, level_probabilities real[], min_confidence real
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN logintel._level_kind(predicted) > logintel._level_kind(declared)
        THEN coalesce(CASE WHEN logintel._level_kind(declared) = 1 THEN level_probabilities[3] ELSE 0 END
                      + level_probabilities[4] + level_probabilities[5], confidence) >= min_confidence
    WHEN logintel._level_kind(predicted) < logintel._level_kind(declared)
        THEN coalesce(level_probabilities[1] + level_probabilities[2]
                      + CASE WHEN logintel._level_kind(declared) = 3 THEN level_probabilities[3] ELSE 0 END, confidence)
             >= (1 + min_confidence) / 2
    ELSE logintel._level_kind(declared) <> logintel._level_kind(predicted) END;

COMMENT ON FUNCTION logintel._corrects(text, text, real, real[], real) IS 'Whether a predicted level corrects the declared one: it is of another kind, by at least the minimum confidence; null where none is declared that is known.';
