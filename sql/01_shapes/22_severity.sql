CREATE OR REPLACE FUNCTION logintel.severity(level text, is_anomaly boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN level IN ('ERROR', 'FATAL') AND is_anomaly THEN 'critical'
    WHEN level IN ('ERROR', 'FATAL') OR (level = 'WARN' AND is_anomaly) THEN 'high'
    WHEN level = 'WARN' OR is_anomaly THEN 'medium'
    ELSE 'low'
END;

COMMENT ON FUNCTION logintel.severity(text, boolean) IS 'Severity of a line from its predicted level and whether it is an anomaly: critical, high, medium or low.';
