-- Last, when all of the above is there. Packages that are missing must not keep anybody from installing.
DO $block$
BEGIN
    PERFORM logintel.register_default_models();
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'the default models were not registered: %', SQLERRM
        USING HINT = 'Run "make install" for this server, then SELECT logintel.register_default_models().';
END
$block$;
