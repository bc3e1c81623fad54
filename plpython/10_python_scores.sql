CREATE OR REPLACE FUNCTION logintel._python_scores(model_set_id integer, shapes logintel._shapes)
RETURNS logintel._scores
LANGUAGE plpython3u STABLE SET search_path = pg_catalog, pg_temp AS
$function$
@IMPORT@
from logintel_server import scoring
return scoring.score_shapes(plpy, model_set_id, shapes)
$function$;

COMMENT ON FUNCTION logintel._python_scores(integer, logintel._shapes) IS 'What the graphs of a model set say of up to 256 shapes, in their order, by onnxruntime.';
