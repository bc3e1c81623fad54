"""What becomes of a message: a test of tests/integration/shapes holds SQL to the same."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logintel.defaults.masks import mask


@pytest.mark.parametrize(("message", "template"), [
    ("", ""),
    ("no number here", "no number here"),
    ("took 17 ms", "took <*> ms"),
    ("took 17ms, id=0x1f; done", "took <*>, id=<*>; done"),
    ("1", "<*>"),
    ("a1\tb2\nc3\r\n\x0bd4 \x0c5", "<*>\t<*>\n<*>\r\n\x0b<*> \x0c<*>"),
    ("<*> 5 <*>", "<*> <*> <*>"),
    ("  7  ", "  <*>  "),
    ("no\u00a0break7 \u00b2 \u0663 \uff17", "no\u00a0<*> \u00b2 \u0663 \uff17"),
    ("connection[8]数据库", "connection[<*>]数据库"),
    ("x" * 4095 + "1", "<*>"),
    ("x" * 4096 + "1", "x" * 4096),
    ("é" * 4090 + " 1 2 3 4", "é" * 4090 + " <*> <*> <*>"),
    # Text without blanks: the digits and their unit, not the sentence.
    ("第3次连接数据库失败", "第<*>次连接数据库失败"),
    ("订单12已创建", "订单<*>已创建"),
    ("用户7登录成功 耗时12ms", "用户<*>登录成功 耗时<*>"),
    ("Größe7überschritten", "Größ<*>überschritten"),
    # Keys and words.
    ('{"level":"error","code":17,"msg":"disk_full"}', '{"level":"error","code":<*>,"msg":"disk_full"}'),
    ("result=ok;total=9", "result=ok;total=<*>"),
    ("GET /users/17/orders?id=5&name=bob", "GET /users/<*>/orders?id=<*>&name=bob"),
    (r"C:\logs\app7\failed.txt", r"C:\logs\<*>\failed.txt"),
    ("user 'order 12 failed' by \"ann\"", "user 'order <*> failed' by \"ann\""),
    ("error:17 disk:18", "error:<*> disk:<*>"),
    ("[ERROR]7 <error>8", "[ERROR]<*> <error><*>"),
    ("lost(17)", "lost(<*>)"),
    # What is one number, address, date or list is one mask.
    ("1,234,567 of 0,5 at 10.0.0.1:8080 and ::1", "<*> of <*> at <*> and ::<*>"),
    ("[1,2,3] 11/30/2026 [30/Nov/2026:10:00:00 +0100]", "[<*>] <*> [<*>/Nov/<*> <*>]"),
    ("/v2/54fadb/servers /v2/a4fa9/servers", "/<*>/servers /<*>/servers"),
    ("2026-11-30T10:00:00.123Z up", "<*> up"),
    # Codes that say how something ended.
    ("job finished with exit code 137", "job finished with exit code <nonzero>"),
    ("job finished with exit code 0", "job finished with exit code <0>"),
    ("exited with code 1: gone", "exited with code <nonzero> gone"),
    ("Process exited (0xC0000005)", "Process exited (<nonzero>)"),
    ('{"exitCode":0} {"exit_status":"-1"}', '{"exitCode":<0>} {"exit_status":"<nonzero>"}'),
    ("[Errno 13] Permission denied", "[Errno <nonzero>] Permission denied"),
    ("exit code -1, exit_status=0x0", "exit code <nonzero>, exit_status=<0>"),
    ("killed by signal 9", "killed by signal <fatal>"),
    ("got signal 15", "got signal <*>"),
    ("POST /pay 200 12ms", "POST /pay <2xx> <*>"),
    ("POST /pay 500 12ms", "POST /pay <5xx> <*>"),
    ('1.2.3.4 "GET /a HTTP/1.1" 404 17', '<*> "GET /a HTTP/<*>" <4xx> <*>'),
    ("status=503 gone", "status=<5xx> gone"),
    ("status=200 httpStatus: 404", "status=<2xx> httpStatus: <*>"),  # one in a message
    ("HTTP status code: 502, up", "HTTP status code: <5xx>, up"),
    ("PUT /a/7 HTTP/2 301", "PUT /a/<*> HTTP/<*> <3xx>"),
    # Other numbers.
    ("status 1234, status=50, http://200.0.0.1", "status <*>, status=<*>, http://<*>"),
    ("exit 1.5 exit 10ms exit 3/4", "exit <nonzero> exit <*> exit <*>"),
    ("<5xx> errors in x7status=500", "<<*>> errors in <*>=<*>"),
    ("<34> <0> <10>", "<<*>> <<*>> <<*>>"),
    # Colours.
    ("\x1b[31mERROR\x1b[0m gone", "ERROR gone"),
])
def test_what_holds_a_digit_is_masked_and_codes_are_classes(message: str, template: str) -> None:
    assert mask(message) == template


@given(st.text(max_size=200) | st.lists(st.sampled_from(
    ["exit ", "0", "7", "x", "xx", "<", ">", "5", "status=", "500", "GET /", " ", ",", "/", ":", "\x1b", "[1m", "#033"])).map("".join))
@example("exit 7a 0")
@example("a\x1b[\x1b[31mm5")
def test_masking_again_changes_nothing(message: str) -> None:
    assert mask(mask(message)) == mask(message)


@pytest.mark.parametrize("text", [
    "x", "xx", "7", "a:", ",7", "/Nov", "exit with code", "status_code", "http", "GET /", "POST /a ", "sig", "\x1b[", "errno ", "<0>", "T /T"])
def test_no_message_takes_long(text: str) -> None:
    began = time.process_time()
    mask(text * 4096)
    assert time.process_time() - began < 1
