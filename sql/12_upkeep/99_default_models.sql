-- Last, when all of the above is there. A model that this server will not have must not keep anybody from installing.
DO $block$
BEGIN
    IF to_regproc('logintel._check_model') IS NULL THEN  -- UNTIL the gate works in SQL alone
        RETURN;
    END IF;
    PERFORM logintel.register_default_models();
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'the default models were not registered: %', SQLERRM
        USING HINT = 'Mend what it names, then SELECT logintel.register_default_models().';
END
$block$;
