INSERT INTO logintel_internal.locks (name) VALUES ('deployments');
