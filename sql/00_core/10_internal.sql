-- What is private stands apart: who browses the schema logintel, as a BI tool does, is offered what is for people.
CREATE SCHEMA logintel_internal;

COMMENT ON SCHEMA logintel_internal IS 'Tables and views that logintel keeps for itself; what people use is in the schema logintel.';
