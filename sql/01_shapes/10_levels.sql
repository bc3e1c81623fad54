-- The five levels the product speaks of, with the severity numbers of OpenTelemetry's log data model (the first number
-- of each range), so that "more severe" is a comparison of numbers.
CREATE TABLE logintel_internal.levels (
    level text NOT NULL,
    severity_number smallint NOT NULL,
    CONSTRAINT levels_pkey PRIMARY KEY (level),
    CONSTRAINT levels_severity_number_key UNIQUE (severity_number)
);

COMMENT ON TABLE logintel_internal.levels IS 'The five log levels, from DEBUG to FATAL.';
COMMENT ON COLUMN logintel_internal.levels.level IS 'Name of the level, as predictions and views write it.';
COMMENT ON COLUMN logintel_internal.levels.severity_number IS 'OpenTelemetry severity number: 5 DEBUG, 9 INFO, 13 WARN, 17 ERROR, 21 FATAL.';

INSERT INTO logintel_internal.levels VALUES ('DEBUG', 5), ('INFO', 9), ('WARN', 13), ('ERROR', 17), ('FATAL', 21);
