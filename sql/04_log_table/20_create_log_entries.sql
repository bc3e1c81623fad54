-- For those who have no log table yet. The table is the caller's own, not a part of the extension.
CREATE OR REPLACE FUNCTION logintel.create_log_entries() RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
DECLARE
    today date := now() AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass('public.log_entries') IS NOT NULL THEN
        RAISE EXCEPTION 'table public.log_entries exists already'
            USING ERRCODE = 'duplicate_table', HINT = 'Run SELECT logintel.attach(''public.log_entries'').';
    END IF;
    CREATE TABLE public.log_entries (
        id bigint GENERATED ALWAYS AS IDENTITY,
        log_id text,
        "timestamp" timestamptz NOT NULL DEFAULT now(),
        level text,
        message text,
        source_type text,
        host text,
        service text,
        category text,
        tags text[],
        raw_log text,
        is_anomaly boolean,
        anomaly_type text,
        http_status integer,
        response_time_ms double precision,
        PRIMARY KEY (id, "timestamp")
    ) PARTITION BY RANGE ("timestamp");
    CREATE TABLE public.log_entries_default PARTITION OF public.log_entries DEFAULT;
    CREATE INDEX log_entries_timestamp_idx ON public.log_entries ("timestamp");
    COMMENT ON TABLE public.log_entries IS 'Log lines, a partition a day. Belongs to the application; logintel reads it.';
    COMMENT ON TABLE public.log_entries_default IS 'Log lines whose day has no partition.';
    COMMENT ON COLUMN public.log_entries.id IS 'Key of the line.';
    COMMENT ON COLUMN public.log_entries.log_id IS 'The source''s own identifier of the line.';
    COMMENT ON COLUMN public.log_entries."timestamp" IS 'When the line was written at its source.';
    COMMENT ON COLUMN public.log_entries.level IS 'Level as the source wrote it.';
    COMMENT ON COLUMN public.log_entries.message IS 'The message.';
    COMMENT ON COLUMN public.log_entries.source_type IS 'Kind of source, such as nginx or hadoop.';
    COMMENT ON COLUMN public.log_entries.host IS 'Host that wrote the line.';
    COMMENT ON COLUMN public.log_entries.service IS 'Service, component or logger that wrote the line.';
    COMMENT ON COLUMN public.log_entries.category IS 'Category given by the source or by a person; a label for training.';
    COMMENT ON COLUMN public.log_entries.tags IS 'Tags of the source.';
    COMMENT ON COLUMN public.log_entries.raw_log IS 'The line as it arrived.';
    COMMENT ON COLUMN public.log_entries.is_anomaly IS 'Whether the line is known to be anomalous; a label for training.';
    COMMENT ON COLUMN public.log_entries.anomaly_type IS 'The kind of anomaly it is known to be; a label for training.';
    COMMENT ON COLUMN public.log_entries.http_status IS 'HTTP status, where the line has one.';
    COMMENT ON COLUMN public.log_entries.response_time_ms IS 'Response time in milliseconds, where the line has one.';
    PERFORM logintel.attach('public.log_entries', manage_partitions => true);
    PERFORM logintel.create_partitions(today, today + 7);
    RETURN 'public.log_entries'::regclass;
END
$function$;

COMMENT ON FUNCTION logintel.create_log_entries() IS 'Creates the standard log table public.log_entries, a partition a day, owned by the caller, and attaches it.';
