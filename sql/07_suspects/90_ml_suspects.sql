CREATE OR REPLACE VIEW logintel.ml_suspects AS
SELECT s.rank, s.suspicion, s.reason, s.template, s.service, s.lines, s.declared_level, s.declared_levels,
       s.predicted_level, s.confidence, s.words_opinion, s.telling_words, s.neighbours_opinion, s.nearest_templates,
       s.service_opinion, s.twins_opinion, s.first_seen, s.last_seen, a.log_table,
       coalesce((s.declared_levels ->> 'DEBUG')::bigint, 0) AS declared_debug,
       coalesce((s.declared_levels ->> 'INFO')::bigint, 0) AS declared_info,
       coalesce((s.declared_levels ->> 'WARN')::bigint, 0) AS declared_warn,
       coalesce((s.declared_levels ->> 'ERROR')::bigint, 0) AS declared_error,
       coalesce((s.declared_levels ->> 'FATAL')::bigint, 0) AS declared_fatal
FROM logintel._suspects_with_evidence() s
LEFT JOIN logintel_internal.attachments a ON a.id = s.attachment_id
ORDER BY s.rank;

COMMENT ON VIEW logintel.ml_suspects IS 'Templates whose level seems wrong in every line: the queue of what a person should look at, most harmful first. accept_corrections() and reject_corrections() end a suspicion.';
COMMENT ON COLUMN logintel.ml_suspects.rank IS 'Order by expected harm: confidence, how far the level is off, and the number of lines.';
COMMENT ON COLUMN logintel.ml_suspects.suspicion IS 'hidden problem: declared up to INFO, and WARN or above in truth. false alarm: the other way round.';
COMMENT ON COLUMN logintel.ml_suspects.reason IS 'template_mislabelled, or source_stamps_one_level where the service declares all its templates alike.';
COMMENT ON COLUMN logintel.ml_suspects.template IS 'The masked message.';
COMMENT ON COLUMN logintel.ml_suspects.service IS 'The service that writes it.';
COMMENT ON COLUMN logintel.ml_suspects.lines IS 'How many lines there are of it.';
COMMENT ON COLUMN logintel.ml_suspects.declared_level IS 'The level that most of them declare, normalised.';
COMMENT ON COLUMN logintel.ml_suspects.declared_levels IS 'How many of them declare each level; ? stands for unknown levels.';
COMMENT ON COLUMN logintel.ml_suspects.predicted_level IS 'The level that it has in truth, by its words and the levels that are in use.';
COMMENT ON COLUMN logintel.ml_suspects.confidence IS 'How probable the suspicion is; a rank more than a promise.';
COMMENT ON COLUMN logintel.ml_suspects.words_opinion IS 'Log-odds of WARN and above by the default level model, which was not trained on any line of this database.';
COMMENT ON COLUMN logintel.ml_suspects.telling_words IS 'The words that move this opinion most, each with how far the log-odds would fall without it; for the first 50 templates.';
COMMENT ON COLUMN logintel.ml_suspects.nearest_templates IS 'The templates that share most words with it, nearest first, with the level that they declare; for the first 50 templates.';
COMMENT ON COLUMN logintel.ml_suspects.neighbours_opinion IS 'Log-odds by a model of the other templates of this database; null before a training.';
COMMENT ON COLUMN logintel.ml_suspects.service_opinion IS 'Log-odds by the other templates of its service; 0 where these excuse it, or the service declares all alike.';
COMMENT ON COLUMN logintel.ml_suspects.twins_opinion IS 'Log-odds by what other services declare the same template.';
COMMENT ON COLUMN logintel.ml_suspects.first_seen IS 'Time of its first line, as far as counted.';
COMMENT ON COLUMN logintel.ml_suspects.last_seen IS 'Time of its last line, as far as counted.';
COMMENT ON COLUMN logintel.ml_suspects.declared_debug IS 'How many of its lines declare DEBUG.';
COMMENT ON COLUMN logintel.ml_suspects.declared_info IS 'How many of its lines declare INFO.';
COMMENT ON COLUMN logintel.ml_suspects.declared_warn IS 'How many of its lines declare WARN.';
COMMENT ON COLUMN logintel.ml_suspects.declared_error IS 'How many of its lines declare ERROR.';
COMMENT ON COLUMN logintel.ml_suspects.declared_fatal IS 'How many of its lines declare FATAL.';
COMMENT ON COLUMN logintel.ml_suspects.log_table IS 'The log table of these lines.';
