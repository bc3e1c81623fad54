CREATE OR REPLACE FUNCTION logintel._kept_scores_061_changed(score_ids bigint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS 'SELECT c.score_id FROM logintel_internal.count_changes c WHERE c.score_id = ANY (score_ids)';

COMMENT ON FUNCTION logintel._kept_scores_061_changed(bigint[]) IS 'Which of these scores have changes that some reader has not read: it has to look them up.';
