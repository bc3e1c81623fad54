-- A spelling of the user's takes the place of a shipped one, also where a restore brings it. It is kept as it is looked
-- up. A shipped one that is given another level is the user's from there on.
CREATE OR REPLACE FUNCTION logintel._keep_level_name() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$function$
BEGIN
    NEW.name := logintel._level_name(NEW.name);
    NEW.shipped := NEW.shipped AND TG_OP = 'INSERT';
    IF TG_OP = 'INSERT' AND NOT NEW.shipped THEN
        DELETE FROM logintel.level_names n WHERE n.name = NEW.name AND n.shipped;
    END IF;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION logintel._keep_level_name() IS 'Trigger on level_names: a spelling of the user''s takes the place of a shipped one.';

CREATE OR REPLACE TRIGGER keep_level_name BEFORE INSERT OR UPDATE ON logintel.level_names
    FOR EACH ROW EXECUTE FUNCTION logintel._keep_level_name();

-- What loggers, servers and their translations write. Numbers are those of syslog (0 to 7) and pino (10 to 60).
INSERT INTO logintel.level_names (level, name, shipped)
SELECT v.level, name, true
FROM (VALUES
    ('DEBUG', 'debug debug1 debug2 debug3 debug4 debug5 dbg dbug debu d trace trace2 trace3 trace4 trc'),
    ('DEBUG', 'trce trac t verbose vrb v fine finer finest fein feiner silly 7 10 20'),
    ('INFO', 'info info2 info3 info4 information informational inf i notice note n config log system success ok http'),
    ('INFO', 'infos informazioni bilgi hinweis konfiguration normal 5 6 30'),
    ('WARN', 'warn warn2 warn3 warn4 warning wrn w deprecated 4 40'),
    ('WARN', 'warnung avertissement attention advertencia avvertenza attenzione aviso varning waarschuwing'),
    ('ERROR', 'error error2 error3 error4 err e fail severe failure 3 50'),
    ('ERROR', 'fehler schwerwiegend erreur grave errore erro fel hata fout'),
    ('FATAL', 'fatal fatal2 fatal3 fatal4 fata ftl f critical crit c alert emerg emergency assert a 0 1 2 60'),
    ('FATAL', 'panic pani dpanic panik kritisch critique critico kritiek kritisk krytyczny kritik')
) AS v (level, names), string_to_table(v.names, ' ') AS name
ON CONFLICT (name) DO NOTHING;

-- Levels of two words, as PHP and Windows write them.
INSERT INTO logintel.level_names (level, name, shipped)
SELECT v.level, name, true
FROM (VALUES
    ('INFO', 'audit success,user notice,strict standards'),
    ('WARN', 'audit failure,user warning,core warning,compile warning,user deprecated'),
    ('ERROR', 'fatal error,parse error,user error,core error,compile error'),
    ('ERROR', 'recoverable fatal error,catchable fatal error')
) AS v (level, names), string_to_table(v.names, ',') AS name
ON CONFLICT (name) DO NOTHING;

-- Other letters, as unistr() reads them: a database in another encoding could not even read this file with them.
-- Capital ones stand beside them, since not every database knows which belong together.
INSERT INTO logintel.level_names (level, name, shipped)
SELECT DISTINCT ON (2) v.level, logintel._level_name(unistr(name)), true
FROM (VALUES
    -- Western languages
    ('INFO', 'informaci\00F3n INFORMACI\00D3N informa\00E7\00F5es INFORMA\00C7\00D5ES'),
    ('FATAL', 'cr\00EDtico CR\00CDTICO cr\00EDtica CR\00CDTICA'),
    ('WARN', 'advert\00EAncia ADVERT\00CANCIA ostrze\017Cenie OSTRZE\017BENIE uyar\0131 UYARI'),
    ('ERROR', 'b\0142\0105d B\0141\0104D'),
    -- Russian
    ('DEBUG', '\043E\0442\043B\0430\0434\043A\0430 \041E\0422\041B\0410\0414\041A\0410'),
    ('INFO', '\0438\043D\0444\043E\0440\043C\0430\0446\0438\044F'),
    ('INFO', '\0418\041D\0424\041E\0420\041C\0410\0426\0418\042F'),
    ('INFO', '\0441\043E\043E\0431\0449\0435\043D\0438\0435'),
    ('INFO', '\0421\041E\041E\0411\0429\0415\041D\0418\0415 \0438\043D\0444\043E'),
    ('INFO', '\0418\041D\0424\041E'),
    ('WARN', '\043F\0440\0435\0434\0443\043F\0440\0435\0436\0434\0435\043D\0438\0435'),
    ('WARN', '\041F\0420\0415\0414\0423\041F\0420\0415\0416\0414\0415\041D\0418\0415'),
    ('ERROR', '\043E\0448\0438\0431\043A\0430 \041E\0428\0418\0411\041A\0410'),
    ('FATAL', '\0432\0430\0436\043D\043E \0412\0410\0416\041D\041E'),
    ('FATAL', '\043F\0430\043D\0438\043A\0430 \041F\0410\041D\0418\041A\0410'),
    -- Chinese
    ('DEBUG', '\8C03\8BD5'),
    ('INFO', '\4FE1\606F \6CE8\610F'),
    ('WARN', '\8B66\544A'),
    ('ERROR', '\9519\8BEF \932F\8AA4 \4E25\91CD'),
    ('FATAL', '\81F4\547D \81F4\547D\9519\8BEF'),
    -- Japanese
    ('DEBUG', '\30C7\30D0\30C3\30B0'),
    ('INFO', '\60C5\5831 \30ED\30B0'),
    ('ERROR', '\30A8\30E9\30FC \91CD\5927'),
    ('FATAL', '\81F4\547D\7684\30A8\30E9\30FC'),
    -- Korean
    ('DEBUG', '\B514\BC84\ADF8'),
    ('INFO', '\C815\BCF4 \B85C\ADF8'),
    ('WARN', '\ACBD\ACE0'),
    ('ERROR', '\C624\B958 \C2EC\AC01'),
    ('FATAL', '\CE58\BA85\C801\C624\B958')
) AS v (level, names), string_to_table(v.names, ' ') AS name
WHERE getdatabaseencoding() = 'UTF8'
ON CONFLICT (name) DO NOTHING;
