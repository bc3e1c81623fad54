-- The table and, where it has some, all its partitions and the tables that inherit from it: a direct insert into one of them
-- fires its own statement triggers only. Foreign tables can't have transition tables. pg_partition_tree() would wait for who
-- has locked one of them.
CREATE OR REPLACE FUNCTION logintel._tables_below(log_table regclass) RETURNS TABLE (tbl regclass, kind "char")
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE tables (tbl, kind) AS (
        SELECT c.oid, c.relkind FROM pg_class c WHERE c.oid = log_table
        UNION
        SELECT c.oid, c.relkind FROM tables t
        JOIN pg_inherits i ON i.inhparent = t.tbl AND NOT i.inhdetachpending
        JOIN pg_class c ON c.oid = i.inhrelid)
    SELECT t.tbl, t.kind FROM tables t;
END;

COMMENT ON FUNCTION logintel._tables_below(regclass) IS 'A table, its partitions and what inherits from it, with their kinds (pg_class.relkind).';

-- A foreign partition takes no line that a trigger with a transition table is to see: on the tables above it there is none.
CREATE OR REPLACE FUNCTION logintel._trigger_tables(log_table regclass) RETURNS SETOF regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.tbl FROM logintel._tables_below(log_table) t
    WHERE t.kind = 'r'
       OR t.kind = 'p' AND NOT EXISTS (SELECT FROM logintel._tables_below(t.tbl) f WHERE f.kind = 'f');
END;

COMMENT ON FUNCTION logintel._trigger_tables(regclass) IS 'Tables that carry the triggers of an attached log table: itself, its partitions and what inherits from it.';

-- A partition that was detached keeps its triggers, and its lines are none of the log table's.
CREATE OR REPLACE FUNCTION logintel._is_below(tbl oid, log_table oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE tables (tbl) AS (
        SELECT $1
        UNION
        SELECT i.inhparent FROM tables t JOIN pg_inherits i ON i.inhrelid = t.tbl AND NOT i.inhdetachpending)
    SELECT EXISTS (SELECT FROM tables t WHERE t.tbl = $2);
END;

COMMENT ON FUNCTION logintel._is_below(oid, oid) IS 'Whether a table is the log table, a partition of it or inherits from it.';

CREATE OR REPLACE FUNCTION logintel._which_is_above(tbl oid, log_tables oid[]) RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT t FROM unnest(log_tables) AS t WHERE logintel._is_below(tbl, t) LIMIT 1);

COMMENT ON FUNCTION logintel._which_is_above(oid, oid[]) IS 'Which of these log tables a table is, or is a partition of; null for none.';

CREATE OR REPLACE FUNCTION logintel._log_table_oids(log_table regclass) RETURNS oid[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN ARRAY(SELECT t.tbl::oid FROM logintel._tables_below(log_table) AS t ORDER BY 1);

COMMENT ON FUNCTION logintel._log_table_oids(regclass) IS 'A log table and all its partitions, for comparison.';
