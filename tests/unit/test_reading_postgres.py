"""PostgreSQL's own logs: stderr with any prefix, in any language and zone; csvlog of each version."""

import csv
import io

import pytest

from logintel.errors import UserError
from logintel.reading.csv_headers import CSVLOG
from support.reading import read, records_of

MOMENT = "2026-11-01T10:00:00.123000"
STAMP = "2026-11-01 10:00:00.123 UTC"


@pytest.mark.parametrize(
    "prefix",
    [
        f"{STAMP} [7101] ",
        f"{STAMP} [7101] shop@shop ",
        f"{STAMP} [7101] [unknown]@[unknown] ",
        f"{STAMP} [7484-2] ",
        f"{STAMP} [7101]: [3-1] user=shop,db=shop,app=psql,client=10.0.0.1 ",
        f"{STAMP}:10.0.0.1(51234):shop@shop:[7101]:",
        f"{STAMP}-5c5b0000.1bbd-",
        f"< {STAMP} >",
        f"[7101] {STAMP} ",
        f"{STAMP} shop shop 7101 SELECT 00000 ",
        f"{STAMP} [7101] app=[My App - two words] ",
        "2026-11-01 19:00:00.123 +09 [7484-2] ",
        "2026-11-01 07:00:00.123 -03 [7101] ",
        "2026-11-01 15:30:00.123 +0530 [7101] ",
        "1793527200.123 [7101] ",
    ],
)
def test_every_usual_prefix_is_read(prefix: str):
    assert read(f"{prefix}ERROR:  no such table: LOG:  none\n{prefix}LOG:  ready") == [
        (MOMENT, "ERROR", None, "no such table: LOG:  none"),
        (MOMENT, "LOG", None, "ready"),
    ]


def test_without_a_prefix_there_is_no_time():
    assert read("ERROR:  no such table\nHINT:  make it\nLOG:  ready\n") == [
        ("now", "ERROR", None, "no such table\nHINT:  make it"),
        ("now", "LOG", None, "ready"),
    ]


def test_what_the_server_says_about_a_message_belongs_to_it():
    lines = [
        "ERROR:  duplicate key", "DETAIL:  Key (id)=(7) exists.", "CONTEXT:  SQL function f",
        "STATEMENT:  INSERT INTO t", "LOG:  ready",
    ]  # fmt: skip
    data = "\n".join(f"{STAMP} [7] shop@shop {line}" for line in lines).replace(
        "INTO t", "INTO t\n\tVALUES ('ERROR:  x')"
    )
    said: list[str] = []
    first, second = records_of(data, said=said)
    assert first.row["message"] == (
        "duplicate key\nDETAIL:  Key (id)=(7) exists.\nCONTEXT:  SQL function f\n"
        "STATEMENT:  INSERT INTO t\n\tVALUES ('ERROR:  x')"
    )
    assert first.row["raw_log"] == data[: data.rindex("\n")]
    assert (second.row["level"], second.row["message"]) == ("LOG", "ready")
    assert said == ["reading it with --pattern postgres"]


def test_a_statement_with_a_severity_in_it_begins_no_message():
    assert read(f"{STAMP} [7] ERROR:  no\n{STAMP} [7] STATEMENT:  SELECT 'LOG:  x'", "message") == [
        ("no\nSTATEMENT:  SELECT 'LOG:  x'",)
    ]


def test_a_part_without_its_message_is_rejected():
    data = f"{STAMP} [7] ERROR:  no\n{STAMP} [7] DETAIL:  lost\n{STAMP} [7] LOG:  ready"
    assert read(data, "message", skip=1) == [("does not fit the pattern",), ("ready",)]


# severities ERROR, WARNING, LOG, FATAL, and a statement, as the server's message catalogs translate them
LANGUAGES = {
    "German": ("FEHLER", "WARNUNG", "LOG", "FATAL", "ANWEISUNG:  "),
    "French": ("ERREUR", "ATTENTION", "LOG", "FATAL", "INSTRUCTION :  "),
    "Spanish": ("ERROR", "WARNING", "LOG", "FATAL", "SENTENCIA:  "),
    "Italian": ("ERRORE", "ATTENZIONE", "LOG", "FATALE", "ISTRUZIONE:  "),
    "Portuguese": ("ERRO", "AVISO", "LOG", "FATAL", "COMANDO:  "),
    "Russian": ("ОШИБКА", "ПРЕДУПРЕЖДЕНИЕ", "СООБЩЕНИЕ", "ВАЖНО", "ОПЕРАТОР:  "),
    "Ukrainian": ("ПОМИЛКА", "ПОПЕРЕДЖЕННЯ", "ЗАПИСУВАННЯ", "ФАТАЛЬНО", "ІНСТРУКЦІЯ:  "),
    "Japanese": ("ERROR", "WARNING", "LOG", "FATAL", "文:  "),
    "Chinese": ("错误", "警告", "日志", "致命错误", "语句:  "),
    "traditional Chinese": ("錯誤", "警告", "日誌", "致命錯誤", "陳述式:  "),
    "Korean": ("오류", "경고", "로그", "치명적오류", "명령 구문:  "),
    "Polish": ("BŁĄD", "OSTRZEŻENIE", "DZIENNIK", "KATASTROFALNY", "WYRAŻENIE:  "),
    "Swedish": ("FEL", "VARNING", "LOGG", "FATALT", "SATS:  "),
    "Turkish": ("HATA", "UYARI", "LOG", "ÖLÜMCÜL (FATAL)", "KOMUT:"),
    "Georgian": ("შეცდომა", "გაფრთხილება", "ჟურნალი", "ფატალური", "ოპერატორი:  "),
    "Indonesian": ("ERROR", "PERINGATAN", "LOG", "FATAL", "PERNYATAAN:  "),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_log_in_another_language_has_the_levels_of_an_english_one(language: str):
    error, warning, log, fatal, statement = LANGUAGES[language]
    prefix = f"{STAMP} [7111] shop@shop "
    data = "".join(f"{prefix}{word}:  {word.lower()}\n" for word in (error, warning, log, fatal))
    assert read(f"{data}{prefix}{statement}SELECT 1\n", "timestamp", "level", "message") == [
        (MOMENT, "ERROR", error.lower()),
        (MOMENT, "WARNING", warning.lower()),
        (MOMENT, "LOG", log.lower()),
        (MOMENT, "FATAL", f"{fatal.lower()}\n{statement}SELECT 1"),
    ]


CET = "2026-11-01 10:00:00.123 CET [7101] LOG:  checkpoint starting: time\n"


def test_an_abbreviated_zone_is_read_when_the_load_says_which_it_is():
    assert read(CET, zone="Europe/Berlin") == [("2026-11-01T09:00:00.123000", "LOG", None, "checkpoint starting: time")]
    summer = CET.replace("2026-11-01", "2026-07-01")
    assert read(summer.replace("CET", "CEST"), "timestamp", zone="Europe/Berlin") == [("2026-07-01T08:00:00.123000",)]
    assert "not what the zone of --time-zone is called then" in read(summer, zone="Europe/Berlin")[0][0]


def test_an_abbreviated_zone_is_rejected_with_the_option_that_says_which_it_is():
    for data in (CET, f'{{"timestamp": "{CET[:27]}", "error_severity": "LOG", "message": "x"}}'):
        [(reason,)] = read(data)
        assert reason == (
            "unreadable timestamp: '2026-11-01 10:00:00.123 CET': say which zone CET is with --time-zone, "
            "such as Europe/Berlin"
        )


def csvlog(*rows: dict[str, str], columns: int = 26, zone: str = "UTC") -> str:
    file = io.StringIO()
    for row in rows:
        whole = {"log_time": f"2026-11-01 10:00:01.123 {zone}", "process_id": "7111", "user_name": "shop"} | row
        csv.writer(file).writerow([whole.get(name, "") for name in CSVLOG[:columns]])
    return file.getvalue()


@pytest.mark.parametrize("columns", [23, 24, 26])
@pytest.mark.parametrize("kind", [None, "csvlog"])
def test_csvlog_is_known_by_its_columns_and_loses_no_line(columns: int, kind: str | None):
    data = csvlog(
        {"error_severity": "LOG", "message": "ready"},
        {"error_severity": "FEHLER", "message": "doppelt", "detail": "da", "hint": "weg", "query": "INSERT\n  INTO t"},
        columns=columns,
    )
    assert read(data, "timestamp", "level", "message", name="postgresql.csv", kind=kind) == [
        ("2026-11-01T10:00:01.123000", "LOG", "ready"),
        ("2026-11-01T10:00:01.123000", "ERROR", "doppelt\nDETAIL:  da\nHINT:  weg\nSTATEMENT:  INSERT\n  INTO t"),
    ]
    assert read(data, "message", kind=kind, skip=1)[0][0].startswith("doppelt")


def test_csvlog_in_another_zone_is_read_with_the_option():
    data = csvlog({"error_severity": "LOG", "message": "ready"}, zone="EST")
    assert read(data, "timestamp", zone="America/New_York") == [("2026-11-01T15:00:01.123000",)]
    assert "--time-zone" in read(data)[0][0]


def test_what_is_no_csvlog_is_refused_as_one():
    with pytest.raises(UserError, match="no csvlog of PostgreSQL"):
        records_of("message,level\nx,INFO\n", kind="csvlog")


def test_csvlog_that_is_called_csv_is_refused_with_its_name():
    with pytest.raises(UserError, match="say --format csvlog"):
        records_of(csvlog({"error_severity": "LOG", "message": "ready"}), kind="csv")


def test_csvlog_in_a_table_is_exported_with_a_header():
    header = ",".join(CSVLOG) + "\n"
    row = csvlog({"error_severity": "PANIC", "message": "gone", "detail": "all"})
    assert read(header + row, "level", "message") == [("PANIC", "gone\nDETAIL:  all")]
