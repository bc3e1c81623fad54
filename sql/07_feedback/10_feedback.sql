-- What people say of lines. A verdict is a row; a newer one of the same line, or of the same template, takes its place and
-- both stay. A verdict keeps the shape of its line, so it still teaches when the line is gone.
--
-- A line is its key and its shape, whose hash is one of its log table alone: where a line was changed, or another one got its
-- key, the verdict is not of that one. A verdict on a template is of that template in all log tables.
CREATE TABLE logintel_internal.feedback (
    id bigint GENERATED ALWAYS AS IDENTITY,
    scope text NOT NULL,
    log_entry_id bigint,
    shape logintel.shape NOT NULL,
    shape_hash bigint NOT NULL,
    declared_level text,
    true_level text,
    true_category text,
    is_anomaly boolean,
    note text,
    given_at timestamptz NOT NULL DEFAULT now(),
    given_by text NOT NULL DEFAULT session_user,
    is_current boolean NOT NULL DEFAULT true,
    attachment_id integer NOT NULL,
    CONSTRAINT feedback_pkey PRIMARY KEY (id),
    CONSTRAINT feedback_scope_check CHECK (scope IN ('line', 'template')),
    CONSTRAINT feedback_declared_level_check CHECK (declared_level IS NULL OR scope = 'template'),
    CONSTRAINT feedback_verdict_check CHECK (num_nonnulls(true_level, true_category, is_anomaly) > 0),
    CONSTRAINT feedback_true_level_fkey FOREIGN KEY (true_level) REFERENCES logintel_internal.levels (level)
);
CREATE UNIQUE INDEX feedback_line_key ON logintel_internal.feedback (log_entry_id, shape_hash) WHERE is_current AND scope = 'line';
CREATE UNIQUE INDEX feedback_template_key
    ON logintel_internal.feedback (md5((shape).template), coalesce(declared_level, ''))
    WHERE is_current AND scope = 'template';
CREATE INDEX feedback_shape_hash_idx ON logintel_internal.feedback (shape_hash) WHERE scope = 'line';
CREATE INDEX feedback_given_at_idx ON logintel_internal.feedback (given_at);

SELECT pg_catalog.pg_extension_config_dump('logintel_internal.feedback', '');
SELECT pg_catalog.pg_extension_config_dump('logintel_internal.feedback_id_seq', '');

COMMENT ON TABLE logintel_internal.feedback IS 'Verdicts on lines and on templates, with their history. Written by give_feedback(), withdraw_feedback(), accept_corrections() and reject_corrections().';
COMMENT ON COLUMN logintel_internal.feedback.id IS 'Order of the verdicts.';
COMMENT ON COLUMN logintel_internal.feedback.scope IS 'line: of that line alone. template: of every line of its template, where no verdict on the line itself says otherwise.';
COMMENT ON COLUMN logintel_internal.feedback.log_entry_id IS 'Key of the line that the verdict was given on; null where it was given on a template alone, and once the log table was detached or emptied.';
COMMENT ON COLUMN logintel_internal.feedback.shape IS 'Shape of that line; of a verdict on a template alone, the shape that most of its lines have.';
COMMENT ON COLUMN logintel_internal.feedback.shape_hash IS '_shape_hash() of that shape: the verdict on a line is not of another line under the same key.';
COMMENT ON COLUMN logintel_internal.feedback.declared_level IS 'For a template: the verdict is of the lines that declare this level (normalised); null for all of them.';
COMMENT ON COLUMN logintel_internal.feedback.true_level IS 'Level that the lines have in truth; null where the verdict is about something else.';
COMMENT ON COLUMN logintel_internal.feedback.true_category IS 'Category that they have in truth.';
COMMENT ON COLUMN logintel_internal.feedback.is_anomaly IS 'Whether they are anomalies in truth.';
COMMENT ON COLUMN logintel_internal.feedback.note IS 'What was said of it.';
COMMENT ON COLUMN logintel_internal.feedback.given_at IS 'When.';
COMMENT ON COLUMN logintel_internal.feedback.given_by IS 'By which role.';
COMMENT ON COLUMN logintel_internal.feedback.is_current IS 'False once a newer verdict of the same line or template took its place, or it was withdrawn.';
COMMENT ON COLUMN logintel_internal.feedback.attachment_id IS 'The attachment of the log table in which it was given, which may have ended since.';
