-- The table and, where it is partitioned, all its partitions: a direct insert into a partition fires the
-- partition's statement triggers only. Foreign tables can't have transition tables. pg_partition_tree() would wait
-- for who has locked one of them.
CREATE OR REPLACE FUNCTION logintel._trigger_tables(log_table regclass) RETURNS SETOF regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE tables (tbl) AS (
        SELECT log_table
        UNION ALL
        SELECT c.oid FROM tables t
        JOIN pg_inherits i ON i.inhparent = t.tbl AND NOT i.inhdetachpending
        JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition AND c.relkind IN ('r', 'p'))
    SELECT t.tbl FROM tables t;
END;

COMMENT ON FUNCTION logintel._trigger_tables(regclass) IS 'Tables that carry the triggers of an attached log table: itself and its partitions.';

CREATE OR REPLACE FUNCTION logintel._log_table_oids() RETURNS oid[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN ARRAY(SELECT t.log_table::oid FROM logintel.attachments a, logintel._trigger_tables(a.log_table) AS t (log_table) ORDER BY 1);

COMMENT ON FUNCTION logintel._log_table_oids() IS 'The attached log table and its partitions, as reconciled_tables keeps them.';
