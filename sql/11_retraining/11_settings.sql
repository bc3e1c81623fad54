INSERT INTO logintel.settings (name, value, description, pattern, hint) VALUES
    ('after_retraining', 'test',
     'What becomes of a retrained model that passes its gates. test: a shadow test against the version in force decides. now: it is deployed at once. manual: it is only registered.',
     'test|now|manual', 'It takes test, now or manual.'),
    ('retrain_every_hours', '0',
     'Every so many hours "logintel worker" requests a retraining of what is advised to be retrained; 0 to 24, 0 for never. schedule() sets it.',
     '[0-9]|1[0-9]|2[0-4]', 'It takes a number of hours from 1 to 24, or 0 for never.');
