"""Messages as people have them: numbers that are the message, the kernel's own words, text without blanks."""

import random

import pytest

from support.servers import Database

pytestmark = pytest.mark.any_server
# ruff: noqa: RUF001 (letters of other scripts are meant)

PROBLEMS = (
    "job finished with exit code 137",
    "POST /pay 500 12ms",
    "GET /health HTTP/1.1 status=503",
    "worker 7 exited with status 1",
    "child killed by signal 9",
    "Killed process 3321 (java) total-vm:8123456kB",
    "segfault at 0 ip 00007f sp 00007ffd error 4 in libc.so.6",
    "EXT4-fs error (device sda1): ext4_find_entry: reading directory lblock 0",
    "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [kworker/3:1:1234]",
    '{"code":17,"msg":"disk_write_failed"}',
    "第3次连接数据库失败",
)
HARMLESS = (
    "job finished with exit code 0",
    "POST /pay 200 12ms",
    "GET /health HTTP/1.1 status=200",
    "worker 7 exited with status 0",
    "child got signal 15",
    '{"code":0,"msg":"started"}',
    "订单12已创建",
    "用户7登录成功",
)
ERRORS = ("订单{}支付失败，余额不足", "第{}次连接数据库失败", "服务器{}内存不足，进程被终止", "文件{}写入失败")
WARNINGS = ("请求{}响应缓慢，请检查", "磁盘{}使用率较高", "证书{}即将过期")
USUAL = ("订单{}已创建", "用户{}登录成功", "用户{}退出登录", "任务{}开始执行", "任务{}执行完成", "支付{}已确认", "商品{}库存已更新",
         "邮件{}已发送", "报表{}生成完毕", "配置{}重新加载", "会话{}已创建")


def test_what_the_numbers_say_is_told(fresh_db: Database) -> None:
    fresh_db.execute(
        "INSERT INTO log_entries (level, service, message) SELECT 'INFO', 'app', m FROM unnest(%s::text[]) AS m",
        ([*PROBLEMS, *HARMLESS],),
    )
    found = {message for (message,) in fresh_db.execute("SELECT message FROM logintel.ml_corrections")}
    assert found == set(PROBLEMS)


def test_messages_that_say_different_things_have_different_templates(fresh_db: Database) -> None:
    for messages in (
        ("第3次连接数据库失败", "订单12已创建", "用户7登录成功"),
        ('{"level":"error","code":17,"msg":"disk_full"}', '{"level":"info","code":0,"msg":"started"}'),
        ("result=ok;total=9", "result=bad;total=9"),
        ("job finished with exit code 0", "job finished with exit code 137"),
        ("POST /pay 200 12ms", "POST /pay 500 12ms"),
    ):
        assert fresh_db.value("SELECT count(DISTINCT logintel.mask(m)) FROM unnest(%s::text[]) AS m", (list(messages),)) == len(messages)


def test_hidden_errors_of_a_log_in_chinese_are_found_after_training(fresh_db: Database) -> None:
    chance = random.Random(1)
    levels = {**dict.fromkeys(ERRORS, "ERROR"), **dict.fromkeys(WARNINGS, "WARN"), **dict.fromkeys(USUAL, "INFO")}
    written = [chance.choice(list(levels)) for _ in range(4000)]
    declared = ["INFO" if levels[text] == "ERROR" and chance.random() < 0.05 else levels[text] for text in written]
    hidden = {n for n, (text, level) in enumerate(zip(written, declared, strict=True), 1) if level != levels[text]}
    assert len(hidden) > 20
    fresh_db.execute(
        "INSERT INTO log_entries (level, service, message) SELECT l, 'shop', m FROM unnest(%s::text[], %s::text[]) AS u (l, m)",
        (declared, [text.format(chance.randrange(10_000)) for text in written]),
    )
    fresh_db.logintel("train", "--lines", "4000", "--deploy")
    fresh_db.logintel("backfill", "--rescore")
    assert {key for (key,) in fresh_db.execute("SELECT log_entry_id FROM logintel.ml_corrections")} == hidden
