-- Nothing is anybody's but the owner's until grant_read(), grant_work() or grant_manage() gives it, save functions
-- that depend on their arguments alone, those that views call for their readers, and the trigger that numbers lines:
-- who attaches a partition to his log table makes it there, too.
REVOKE ALL ON ALL ROUTINES IN SCHEMA logintel FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    logintel.mask(text), logintel._mask_with_codes(text), logintel._with_exit_codes(text, text),
    logintel._with_answer(text, text), logintel._with_class(text, text, text, text),
    logintel._exit_code_class(text, boolean), logintel._status_code_class(text),
    logintel._status_class(integer), logintel._latency_bucket(double precision),
    logintel._shape_version(),
    logintel._shape(text, text, text, text, integer, double precision),
    logintel._shape_hash(text, text, text, text, integer, double precision, bigint),
    logintel._context_hash(text, text, text, integer, double precision, bigint),
    logintel._level_name(text), logintel._line_time(timestamptz), logintel._is_time_of(timestamptz, timestamptz,
        timestamptz),
    logintel._exactly(anyelement, anyelement), logintel._printed(text), logintel._level_of_scale(text, jsonb),
    logintel._time_of_number(numeric), logintel._time_in_zone(timestamp, text),
    logintel._time_of_date(date, text), logintel._time_of_parts(text[], text),
    logintel._time_of_text(text, text), logintel._status_of_text(text), logintel._status_of_number(numeric),
    logintel._duration_of_text(text), logintel._duration_of_number(numeric),
    logintel._flag_of_text(text), logintel._service_name(text), logintel._readable(json),
    logintel._text_of_json(json, jsonb), logintel._number_line(),
    logintel._probabilities(real[]), logintel._truth(logintel_internal.feedback, text, text),
    logintel.normalize_level(text), logintel.severity(text, boolean)
TO PUBLIC;
