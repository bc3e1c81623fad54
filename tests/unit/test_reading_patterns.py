"""The named layouts of text logs, each with lines (made up) as its programs write them."""

from datetime import UTC, datetime

import pytest

from logintel.errors import UserError
from logintel.reading.from_text import choose_pattern, text_records
from logintel.reading.patterns import PATTERNS, guess_pattern
from logintel.reading.records import Line
from logintel.reading.rows import FIELDS, RowMaker
from logintel.reading.timestamps import Timestamps

# pattern, line, what is read from it; where there is a time it is always the same second
LINES = [
    ("android", "05-01 10:00:00.250  812  901 W NetMonitor: link is slow",
     {"level": "W", "service": "NetMonitor", "message": "link is slow"}),
    ("android", "2024-05-01 10:00:00.250  812  901 E Cam Hal :",
     {"level": "E", "service": "Cam Hal", "message": ""}),
    ("hdfs", "240501 100000 17 WARN store.Disk: nearly full",
     {"level": "WARN", "service": "store.Disk", "message": "nearly full"}),
    ("spark", "24/05/01 10:00:00 INFO core.Runner: stage 3 done",
     {"level": "INFO", "service": "core.Runner", "message": "stage 3 done"}),
    ("openstack", "api.log 2024-05-01 10:00:00.250 99 ERROR shop.api [req-1 - -] no stock",
     {"level": "ERROR", "service": "shop.api", "message": "no stock"}),
    ("spring", "2024-05-01T10:00:00.250Z  INFO 1 --- [shop] [main] c.e.ShopApp        : started",
     {"level": "INFO", "service": "c.e.ShopApp", "message": "started"}),
    ("log4j", "2024-05-01 10:00:00,250 FATAL [worker 1 [a]] c.e.Pay: lost it: all",
     {"level": "FATAL", "service": "c.e.Pay", "message": "lost it: all"}),
    ("log4j", "2024-05-01 10:00:00,250 [main] DEBUG c.e.Pay - ready",
     {"level": "DEBUG", "service": "c.e.Pay", "message": "ready"}),
    ("python", "2024-05-01 10:00:00,250 - shop.pay - WARNING - card expires",
     {"level": "WARNING", "service": "shop.pay", "message": "card expires"}),
    ("python_basic", "ERROR:shop.pay:no route: retry",
     {"level": "ERROR", "service": "shop.pay", "message": "no route: retry"}),
    ("postgres", "2024-05-01 10:00:00.250 UTC [77] LOG:  checkpoint starting",
     {"level": "LOG", "message": "checkpoint starting"}),
    ("postgres", "2024-05-01 10:00:00.250 UTC [77] me@shop ERROR:  no such table",
     {"level": "ERROR", "message": "no such table"}),
    ("klog", "E0501 10:00:00.250000       1 queue.go:55] cannot sync",
     {"level": "E", "service": "queue.go", "message": "cannot sync"}),
    ("apache_error", "[Wed May 01 10:00:00 2024] [warn] child is slow",
     {"level": "warn", "message": "child is slow"}),
    ("apache_error", "[Wed May 01 10:00:00.250000 2024] [ssl:error] [pid 7:tid 9] bad key",
     {"level": "error", "service": "ssl", "message": "bad key"}),
    ("nginx_error", "2024/05/01 10:00:00 [crit] 7#9: *3 open() failed",
     {"level": "crit", "message": "*3 open() failed"}),
    ("access", r'10.0.0.9 - eve [01/May/2024:12:00:00 +0200] "GET /a?b=\"c HTTP/1.1" 503 12 "-" "curl/8"',
     {"message": r"GET /a?b=\"c HTTP/1.1", "http_status": 503}),
    ("access", 'shop:80 10.0.0.9 - - [01/May/2024:10:00:00 +0000] "-" 408 -',
     {"message": "-", "http_status": 408}),
    ("syslog5424", r'<11>1 2024-05-01T10:00:00Z web1 shop 12 ID1 [a b="\]"][c d="e"] disk gone',
     {"level": "err", "service": "shop", "host": "web1", "message": "disk gone"}),
    ("syslog5424", "<14>1 2024-05-01T10:00:00Z - shop - - - disk back",
     {"level": "info", "service": "shop", "message": "disk back"}),
    ("syslog", "May  1 10:00:00 web1 cron[12]: job done",
     {"service": "cron", "host": "web1", "message": "job done"}),
    ("syslog", "<12>May  1 10:00:00 web1 su(pam_unix)[12]: no",
     {"level": "warning", "service": "su(pam_unix)", "host": "web1", "message": "no"}),
    ("syslog", "2024-05-01T10:00:00.250+00:00 web1 kernel: oops",
     {"service": "kernel", "host": "web1", "message": "oops"}),
    ("syslog", "May 1 10:00:00 web1 restarted all",
     {"host": "web1", "message": "restarted all"}),
    ("iso", "2024-05-01T10:00:00.250Z INFO the shop is open", {"level": "INFO", "message": "the shop is open"}),
    ("iso", "2024-05-01T10:00:00.250Z  WARN [7] shut", {"level": "WARN", "message": "[7] shut"}),
    ("iso", "[2024-05-01 10:00:00] [ERROR] it broke", {"level": "ERROR", "message": "it broke"}),
    ("iso", "2024-05-01 10:00:00 [main] error: it broke", {"level": "error", "message": "it broke"}),
    ("iso", "2024/05/01 10:00:00 listening on 80", {"message": "listening on 80"}),
    ("tomcat", "01-May-2024 10:00:00.250 SEVERE [exec-1] org.x.core.Valve.invoke it broke",
     {"level": "SEVERE", "service": "org.x.core.Valve", "message": "it broke"}),
    ("airflow", "[2024-05-01T10:00:00.250+0000] {task.py:18} ERROR - it broke",
     {"level": "ERROR", "service": "task.py", "message": "it broke"}),
    ("elasticsearch", "[2024-05-01T10:00:00,250][WARN ][o.e.Disk] [node-1] nearly full",
     {"level": "WARN", "service": "o.e.Disk", "host": "node-1", "message": "nearly full"}),
    ("mysql", "2024-05-01T10:00:00.250000Z 7 [Warning] [MY-010068] [Server] a CA is self signed",
     {"level": "Warning", "service": "Server", "message": "a CA is self signed"}),
    ("serilog", "2024-05-01 12:00:00.250 +02:00 [VRB] so far", {"level": "verbose", "message": "so far"}),
    ("ruby", "E, [2024-05-01T10:00:00.250000 #41] ERROR -- shop: it broke",
     {"level": "ERROR", "service": "shop", "message": "it broke"}),
    ("java", "May 01, 2024 10:00:00 AM org.x.Context start", {"service": "org.x.Context", "message": ""}),
    ("dotnet", "crit: Shop.Cart[12]", {"level": "crit", "service": "Shop.Cart", "message": ""}),
    ("logfmt", 'time=2024-05-01T10:00:00Z level=error msg="it broke" code=7',
     {"level": "error", "message": "it broke code=7"}),
    ("monolog", "[2024-05-01 10:00:00] production.ERROR: it broke",
     {"level": "ERROR", "service": "production", "message": "it broke"}),
    ("env_logger", "[2024-05-01T10:00:00Z WARN  shop::db] slow", {"level": "WARN", "service": "shop::db", "message": "slow"}),
    ("level_first", "ERROR [2024-05-01 10:00:00,250] org.x.Y: it broke", {"level": "ERROR", "message": "org.x.Y: it broke"}),
    ("level_first", "[INFO] 2024-05-01 10:00:00 up", {"level": "INFO", "message": "up"}),
    ("iso", "[01-May-2024 10:00:00 UTC] PHP Fatal error:  no", {"message": "PHP Fatal error:  no"}),
    ("syslog", "May 01 10:00:00.250000 web1 cron[12]: done", {"service": "cron", "host": "web1", "message": "done"}),
    ("postgres", "May  1 10:00:00 db1 postgres[77]: [5-1] ERROR:  no such table",
     {"level": "ERROR", "message": "no such table"}),
    ("level", "[ERROR] it broke", {"level": "ERROR", "message": "it broke"}),
    ("plain", "whatever it is", {"message": "whatever it is"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "line", "expected"), LINES)
def test_a_named_pattern_reads_the_lines_of_its_programs(name: str, line: str, expected: dict[str, object]):
    timestamps = Timestamps(2024)
    maker = RowMaker(FIELDS, {}, timestamps)
    [record] = text_records(iter([Line(1, line.encode() + b"\r\n")]), PATTERNS[name], maker)
    assert record.reason is None
    moment = record.row.pop("timestamp")
    timeless = moment == timestamps.now
    assert timeless or moment.replace(microsecond=0) == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert timeless == (name in ("plain", "python_basic", "level", "dotnet"))
    assert record.row == expected | {"raw_log": line}


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, line, _ in LINES if name != "plain"])
def test_the_pattern_is_guessed_from_the_lines(name: str, line: str):
    assert guess_pattern([line]) == name
    assert guess_pattern([line, "  indented", "Caused by: x", "", *[line] * 9, "strange"]) == name


def test_every_named_pattern_is_tried():
    assert {name for name, _, _ in LINES} == set(PATTERNS)


def test_a_file_that_no_pattern_fits_is_refused_with_what_to_do():
    with pytest.raises(UserError, match=r"--pattern with one of .*plain.*\(\?P<message>"):
        choose_pattern([Line(1, b"what is this\n"), Line(2, b"and that\n")])


def test_a_file_of_blank_lines_is_no_mistake():
    assert choose_pattern([Line(1, b"\n")]) == "plain"
