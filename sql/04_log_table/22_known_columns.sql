-- What log tables call their columns. A name is compared without case and punctuation: LevelDisplayName is
-- level_display_name. The first name that a table has is taken, so the surest stand first.
CREATE OR REPLACE FUNCTION logintel._plain_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN regexp_replace(lower(name COLLATE "C"), '[^a-z0-9]', '', 'g');

COMMENT ON FUNCTION logintel._plain_name(text) IS 'A name without case and punctuation.';

CREATE OR REPLACE FUNCTION logintel._known_columns() RETURNS TABLE (field text, names text[])
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT v.field, string_to_array(v.names, ' ')
    FROM (VALUES
        ('timestamp', 'timestamp time ts datetime eventtime logtime logdatetime eventdatetime logdate logtimestamp '
                      'timestampz tstamp dttm loggedat loggedon logged timecreated timegenerated devicereportedtime '
                      'zeitpunkt zeitstempel horodatage fechahora datahora createdat created createdatetime '
                      'createdatetimeutc createdon createdate createdatetz createddate creationdate datecreated '
                      'createtime createdtime creationtime raisedate entdate eventdate eventtimestamp timestmp timeutc '
                      'timestamputc utctime asctime timelocal timeunix timeunixnano observedtimestamp '
                      'realtimetimestamp sourcerealtimetimestamp occurredat occurredon generatedat recordedat '
                      'writtenat insertedat receivedat ingestedat failedat fecha date at'),
        ('level', 'level severity loglevel levelname severitytext leveldisplayname lvl levelstring leveltext sev '
                  'errorseverity logseverity severitylevel severityname entrytype schweregrad niveau nivel livello '
                  'priority prio loglevelname levelno severitynumber levelnumber levelvalue'),
        -- What only lines of errors have comes behind what all lines have.
        ('message', 'message msg logmessage logmsg messagetext renderedmessage formattedmessage shortmessage '
                    'eventmessage meldung nachricht mensaje mensagem messaggio text textpayload body log logline line '
                    'logtext logentry rawmessage fullmessage content description errormessage errormsg errmsg rawlog '
                    'raw request event'),
        ('host', 'host hostname machinename fromhost server servername node nodename computername computer rechner '
                 'serveur servidor hostip'),
        ('service', 'service servicename servicio app application appname applicationname program programname '
                    'progname syslogidentifier syslogtag tag component containername container logger loggername '
                    'channel sourcecontext providername sourcename module'),
        ('http_status', 'httpstatus statuscode httpstatuscode httpcode responsestatus responsecode'),
        ('response_time_ms', 'responsetimems durationms elapsedms latencyms requesttimems tookms elapsedmilliseconds '
                             'durationmilliseconds executiontimems processingtimems'),
        ('source_type', 'sourcetype')) AS v (field, names);
END;

COMMENT ON FUNCTION logintel._known_columns() IS 'The plain names that columns of each field have, the surest first.';

-- Keys of objects stand before the object itself, which would be read as its text.
CREATE OR REPLACE FUNCTION logintel._known_keys() RETURNS TABLE (field text, paths jsonb)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT v.field, jsonb_agg(to_jsonb(string_to_array(p.path, '/')) ORDER BY p.n)
    FROM (VALUES
        ('message', 'message msg log MESSAGE Message short_message RenderedMessage @m @mt body/stringValue body '
                    'textPayload jsonPayload/message text event stringValue'),
        ('level', 'level severity log/level log.level lvl levelname loglevel log_level Level @l severity_text '
                  'severityText severityNumber PRIORITY priority parsed/error_severity 0/parsed/0/error_severity '
                  'jsonPayload/level'),
        ('timestamp', 'timestamp time ts @timestamp @t Timestamp datetime __REALTIME_TIMESTAMP timeUnixNano'),
        ('service', 'service/name service.name service service_name app application SYSLOG_IDENTIFIER '
                    'kubernetes/container_name container_name logger'),
        ('host', 'host/name host.name host hostname _HOSTNAME'),
        ('http_status', 'http/response/status_code http/status_code http/status http.response.status_code '
                        'http.status_code http_status status_code statusCode res/statusCode '
                        '0/response/0/status_code'),
        ('response_time_ms', 'response_time_ms duration_ms latency_ms responseTime')) AS v (field, keys),
         string_to_table(v.keys, ' ') WITH ORDINALITY AS p (path, n)
    GROUP BY v.field;
END;

COMMENT ON FUNCTION logintel._known_keys() IS 'Where documents have each field, as attachments.paths holds it.';

-- Layouts that programs make of their own, told by columns that nobody else has together. What a layout does not map is
-- found by its name. Its scale is for a column of levels that are numbers.
CREATE OR REPLACE FUNCTION logintel._layouts() RETURNS TABLE (name text, needs text[], columns jsonb, level_scale text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT v.name, string_to_array(v.needs, ' '), v.columns::jsonb, v.level_scale
    FROM (VALUES
        ('serilog', 'message messagetemplate level exception', '{}', 'dotnet'),
        ('nlog', 'logged level message logger callsite', '{}', 'dotnet'),
        ('dotnet', 'eventid category level message', '{"service": "category"}', 'dotnet'),
        ('log4j2', 'level logger message thread', '{}', 'log4j'),
        ('logback', 'timestmp formattedmessage levelstring', '{"service": "loggername"}', 'log4j'),
        ('django-db-logger', 'loggername level msg trace', '{}', 'python'),
        ('python', 'levelno name', '{"service": "name"}', 'python'),
        ('python', 'levelname name', '{"service": "name"}', 'python'),
        ('pino', 'level pid hostname', '{}', 'pino'),
        ('bunyan', 'level v name', '{"service": "name"}', 'pino'),
        ('winston', 'level message meta', '{}', NULL),
        ('monolog', 'channel level context', '{"service": "channel"}', 'monolog'),
        ('rsyslog', 'syslogtag fromhost priority', '{"timestamp": "devicereportedtime"}', 'syslog'),
        ('syslog-ng', 'program host facility priority', '{"level": "priority"}', 'syslog'),
        ('journald', 'priority syslogidentifier', '{}', 'syslog'),
        ('gelf', 'shortmessage level', '{}', 'syslog'),
        ('fluent-bit', 'tag time data', '{}', NULL),
        ('opentelemetry', 'body severitynumber', '{}', 'otel'),
        ('csvlog', 'logtime errorseverity sessionid', '{}', NULL),
        ('windows', 'providername level', '{}', 'windows'),
        ('supabase', 'eventmessage metadata', '{}', NULL),
        ('railway', 'timestamp severity message', '{}', NULL),
        ('elmah', 'statuscode timeutc application', '{}', NULL),
        ('odoo', 'name dbname level message path func', '{"service": "name"}', NULL),
        ('graylog', 'gl2messageid source message', '{"host": "source"}', 'syslog'),
        ('logrus', 'level message messagedata createdat', '{}', '{"0": "FATAL", "1": "FATAL", "2": "ERROR",
             "3": "WARN", "4": "INFO", "5": "DEBUG", "6": "DEBUG"}'),
        ('php', 'errno errstr errfile errline', '{"message": "errstr", "level": "errno"}', '{"1": "FATAL",
             "2": "WARN", "4": "FATAL", "8": "INFO", "16": "FATAL", "32": "WARN", "64": "FATAL", "128": "WARN",
             "256": "ERROR", "512": "WARN", "1024": "INFO", "2048": "INFO", "4096": "ERROR", "8192": "INFO",
             "16384": "INFO"}'),
        ('drupal', 'wid variables severity location', '{"service": "type"}', 'syslog'),
        ('laravel failed jobs', 'queue payload exception failedat', '{"message": "exception", "service": "queue"}',
         NULL),
        ('cloudwatch', 'loggroup logstream message', '{"service": "loggroup"}', NULL),
        ('kubernetes', 'reason type lasttimestamp message',
         '{"level": "type", "timestamp": "lasttimestamp", "service": "sourcecomponent", "host": "sourcehost"}', NULL),
        ('ssis', 'event computer operator datacode message',
         '{"level": "event", "timestamp": "starttime", "service": "source"}', NULL),
        ('pgaudit', 'audittype class command statement', '{"message": "statement"}', NULL),
        -- A request is a message only in a table that has no other.
        ('access log', 'request status', '{"http_status": "status"}', NULL)
    ) AS v (name, needs, columns, level_scale);
END;

COMMENT ON FUNCTION logintel._layouts() IS 'Layouts of programs: the plain names of columns by which each is told, which fields they hold, and the scale of its levels.';

CREATE OR REPLACE FUNCTION logintel._table_columns(log_table regclass) RETURNS TABLE (
    name name, plain_name text, number smallint, type regtype, kind text, counts boolean
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT a.attname, logintel._plain_name(a.attname), a.attnum, b.type,
           CASE WHEN b.type IN ('json'::regtype, 'jsonb'::regtype) THEN 'document'
                WHEN b.type = ANY ('{int2,int4,int8,numeric,float4,float8}'::regtype[]) THEN 'number'
                WHEN b.type = ANY ('{date,timestamp,timestamptz}'::regtype[]) THEN 'time'
                WHEN t.typcategory = 'S' OR t.typtype = 'e' THEN 'text' ELSE 'other' END,
           b.type = ANY ('{int2,int4,int8}'::regtype[]) AND (a.attidentity <> '' OR EXISTS (
               SELECT FROM pg_attrdef d
               JOIN pg_depend r ON r.classid = 'pg_attrdef'::regclass AND r.objid = d.oid
                                   AND r.refclassid = 'pg_class'::regclass
               JOIN pg_class s ON s.oid = r.refobjid AND s.relkind = 'S'
               WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum))
    FROM pg_attribute a
    CROSS JOIN LATERAL (SELECT logintel._base_type(a.atttypid) AS type) AS b
    JOIN pg_type t ON t.oid = b.type
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped;
END;

COMMENT ON FUNCTION logintel._table_columns(regclass) IS 'The columns of a table: kind is text, number, time, document or other; counts tells whether a sequence numbers its rows.';
