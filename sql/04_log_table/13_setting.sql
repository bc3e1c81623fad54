INSERT INTO logintel.settings (name, value, description, pattern, hint) VALUES
    ('retention_days', '0',
     'Days that lines and predictions are kept, in a log table whose partitions logintel manages; 0 keeps all.',
     '[0-9]{1,5}', 'It takes a number of days; 0 keeps all.');
