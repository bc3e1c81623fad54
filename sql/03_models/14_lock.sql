INSERT INTO logintel.locks (name) VALUES ('deployments');
