-- What is thought of each template's level by those who do not believe its source. The words: the default level model,
-- which no training of the user's changes. The neighbours: a model of the user's other templates, which `logintel
-- train` makes. So no training can excuse what it has learnt from the line itself. Kept by a hash: a template is text
-- of lines, and goes with them. All of it can be made again, so no dump holds it.
CREATE TABLE logintel_internal.template_opinions (
    template_hash uuid NOT NULL,
    words real NOT NULL,
    by_level real[] NOT NULL,
    words_model_id integer NOT NULL,
    neighbours real,
    formed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT template_opinions_pkey PRIMARY KEY (template_hash)
);

COMMENT ON TABLE logintel_internal.template_opinions IS 'What the words of a template, and the templates beside it, say of its level.';
COMMENT ON COLUMN logintel_internal.template_opinions.template_hash IS 'MD5 of the masked message.';
COMMENT ON COLUMN logintel_internal.template_opinions.words IS 'Log-odds of WARN and above, by the default level model.';
COMMENT ON COLUMN logintel_internal.template_opinions.by_level IS 'What that model gives DEBUG, INFO, WARN, ERROR and FATAL.';
COMMENT ON COLUMN logintel_internal.template_opinions.words_model_id IS 'The version that said so.';
COMMENT ON COLUMN logintel_internal.template_opinions.neighbours IS 'Log-odds of WARN and above, by a model that learnt from other templates of this database; null where none was made since the template is known.';
COMMENT ON COLUMN logintel_internal.template_opinions.formed_at IS 'When the words were asked.';

INSERT INTO logintel_internal.count_readers (reader) VALUES ('opinions');
