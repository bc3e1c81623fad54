INSERT INTO logintel.locks (name) VALUES ('partitions');
