-- Ends every update. The functions that read the log table are written for its columns, in no file.
SELECT logintel._write_no_trigger_functions() WHERE NOT EXISTS (SELECT FROM logintel_internal.attachments);
UPDATE logintel_internal.attachments SET columns = columns;
-- Views of the new release ask other functions, or none; views of users on them stay.
DROP FUNCTION IF EXISTS logintel._corrections(), logintel._anomalies();
DO $block$
BEGIN
    REVOKE ALL ON logintel_internal._scored_shapes FROM PUBLIC;
    DROP VIEW logintel_internal._scored_shapes;
EXCEPTION WHEN undefined_table OR dependent_objects_still_exist THEN
    RETURN;  -- there is none, or a view of somebody's own asks it
END
$block$;
SELECT logintel._installer_take_on(a) FROM logintel_internal.attachments a;
-- A release that did not note which partitions it made left a comment on each.
INSERT INTO logintel_internal.made_partitions (partition, day)
SELECT p.tbl, p.day FROM logintel_internal.attachments a CROSS JOIN LATERAL logintel._partitions_by_time(a.log_table) p
WHERE a.manages_partitions AND current_setting('logintel.notes_partitions', true) = 'yes'
  AND obj_description(p.tbl, 'pg_class') LIKE 'Partition of % for ' || p.day || ' (UTC).';
-- Models of a release that had no rows for them get these.
SELECT logintel._task_031_lay_out_models();

SELECT logintel.grant_read(role::oid::regrole)
FROM unnest(string_to_array(current_setting('logintel.readers'), ',')) AS role;
SELECT logintel.grant_work(role::oid::regrole)
FROM unnest(string_to_array(current_setting('logintel.workers'), ',')) AS role;
SELECT logintel.grant_manage(role::oid::regrole)
FROM unnest(string_to_array(current_setting('logintel.managers'), ',')) AS role;

-- Where an extension's script grants or revokes anything on an object, PostgreSQL takes all rights on it for the
-- extension's own, and no dump holds them. What roles were given is not the extension's: a dump has to bring it back.
-- Nobody but a superuser may write catalogs. A plain installation has nothing here to mend. What was given in an
-- extension of somebody else has to be given again where its dump is restored, which is better than no update.
DO $block$
BEGIN
    IF current_setting('is_superuser') = 'off' THEN
        RETURN;
    END IF;
    UPDATE pg_init_privs i
    SET initprivs = ARRAY(SELECT acl FROM unnest(i.initprivs) AS acl
                          WHERE (SELECT bool_and(a.grantee IN (0, a.grantor)) FROM aclexplode(ARRAY[acl]) AS a))
    WHERE (i.classoid, i.objoid) = ('pg_namespace'::regclass, 'logintel'::regnamespace)
       OR EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'logintel'
                  WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
                    AND (d.classid, d.objid) = (i.classoid, i.objoid));
    -- Since PostgreSQL 17 it notes such roles here as well.
    DELETE FROM pg_shdepend s
    WHERE s.deptype = 'i' AND s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
      AND EXISTS (SELECT FROM pg_init_privs i WHERE (i.classoid, i.objoid) = (s.classid, s.objid))
      AND NOT EXISTS (SELECT FROM pg_init_privs i CROSS JOIN aclexplode(i.initprivs) AS a
                      WHERE (i.classoid, i.objoid) = (s.classid, s.objid) AND s.refobjid IN (a.grantee, a.grantor));
END
$block$;
