INSERT INTO logintel.settings (name, value, description, pattern, hint) VALUES
    ('known_shapes', '100000',
     'Shapes that each model set keeps for look-up; maintain() evicts the least used beyond.',
     '[1-9][0-9]{2,7}', 'It takes a number from 100 to 99999999.');
