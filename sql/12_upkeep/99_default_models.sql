-- Last, when all of the above is there. A model that this server will not have must not keep anybody from installing.
DO $block$
BEGIN
    PERFORM logintel.register_default_models();
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'the default models were not registered: %', SQLERRM
        USING HINT = 'Mend what it names, then SELECT logintel.register_default_models().';
END
$block$;
