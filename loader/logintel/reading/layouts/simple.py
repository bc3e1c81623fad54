"""The layouts that one regular expression describes."""

from logintel.reading.layouts.parts import CLOCK, DAY, ISO, LEVEL, LEVEL_WORD, MESSAGE, MONTH, SERVICE, THREAD, ZONE

_SYSLOG_NAME = r"(?:(?P<service>[^\s:\[]+)(?:\[\d+\])?:(?: |$))"
_WORD = r"(?P<level>[^\W\d_]{1,20}(?: [^\W\d_]{1,20})?)"
_DAY_FIRST = rf"\d\d[-/ ]{MONTH}[-/ ]\d{{4}}[ :]{CLOCK}(?:[.,]\d{{1,9}})?{ZONE}"
_CLASS = r"(?P<service>[\w.$]+(?:::[\w.$]+)*)"

# From the most particular to the most general: of layouts that fit a file equally well the first one is taken.
SIMPLE = {
    "android": rf"(?P<timestamp>(?:\d{{4}}-)?\d\d-\d\d {CLOCK}\.\d+) +\d+ +\d+ (?P<level>[VDIWEFA]) "
    rf"(?P<service>.{{0,200}}?) *:(?: |$){MESSAGE}",
    "hdfs": rf"(?P<timestamp>\d{{6}} \d{{6}}) \d+ {LEVEL} {SERVICE}: {MESSAGE}",
    "spark": rf"(?P<timestamp>\d\d/\d\d/\d\d {CLOCK}) {LEVEL} +{SERVICE}: {MESSAGE}",
    "openstack": rf"(?:\S+ )?{ISO} \d+ {LEVEL} (?P<service>\S+) \[[^\]]*\] {MESSAGE}",
    "spring": rf"{ISO} +{LEVEL} \d+ --- (?:\[[^\]]*\] )+(?P<service>\S+) *: {MESSAGE}",
    "airflow": rf"\[{ISO}\] \{{{{1,2}}(?P<service>[^}}\s:]{{1,300}}):\d+\}}{{1,2}} {LEVEL} - {MESSAGE}",
    "elasticsearch": rf"\[{ISO}\]\[{LEVEL} *\]\[(?P<service>[^\]\s]{{1,300}}) *\]"
    rf"(?:\[[^\]]{{0,300}}\])?(?: \[(?P<host>[^\]]{{1,300}})\])? ?{MESSAGE}",
    "tomcat": rf"(?P<timestamp>\d\d-{MONTH}-\d{{4}} {CLOCK}(?:\.\d{{1,9}})?) {_WORD} \[[^\]]{{0,300}}\] "
    rf"(?P<service>[\w.$]{{1,300}}?)(?:\.[\w$<>]{{1,200}})? {MESSAGE}",
    "mysql": rf"{ISO} +\d+ \[(?P<level>\w+)\] (?:\[MY-\d+\] )?(?:\[(?P<service>\w+)\] )?{MESSAGE}",
    "serilog": rf"{ISO} \[(?P<level>VRB|DBG|INF|WRN|ERR|FTL)\] {MESSAGE}",
    "log4j": rf"{ISO} (?:- )?{THREAD}{LEVEL} +{THREAD}(?:- )?{_CLASS}(?:: | - ){MESSAGE}",
    "python": rf"{ISO} - (?P<service>\S+) - {LEVEL} - {MESSAGE}",
    "python_basic": rf"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?P<service>[^\s:]+):{MESSAGE}",
    "ruby": rf"[DIWEFAU], \[{ISO} #\d+\] +(?P<level>[A-Z]{{1,10}}) -- (?P<service>[^:]{{0,300}}): ?"
    rf"{MESSAGE}",
    "klog": rf"(?P<level>[IWEF])(?P<timestamp>(?:\d{{4}})?\d{{4}} {CLOCK}\.\d+) +\d+ {SERVICE}:\d+\] {MESSAGE}",
    "apache_error": rf"\[(?P<timestamp>{MONTH} {MONTH} +\d{{1,2}} {CLOCK}(?:\.\d+)? \d{{4}})\] "
    rf"\[(?:(?P<service>\w*):)?(?P<level>\w+)\] (?:\[pid [^\]]*\] )?{MESSAGE}",
    "nginx_error": rf"(?P<timestamp>\d{{4}}/\d\d/\d\d {CLOCK}) \[(?P<level>\w+)\] \d+#\d+: {MESSAGE}",
    "access": rf"\S+ (?:\S+ )?\S+ \S+ \[(?P<timestamp>\d\d/{MONTH}/\d{{4}}:{CLOCK} [+-]\d{{4}})\] "
    r'"(?P<message>(?:[^"\\]|\\.)*)" (?P<http_status>\d{3}) (?:\d+|-)(?: .*)?',
    "monolog": rf"\[{ISO}\] (?P<service>[\w-]{{1,100}})\.{LEVEL}: {MESSAGE}",
    "env_logger": rf"\[{ISO} {LEVEL} +{_CLASS}\] {MESSAGE}",
    "syslog5424": r"<(?P<priority>\d{1,3})>1 (?P<timestamp>\S+) (?P<host>\S+) (?P<service>\S+) \S+ \S+ "
    rf"(?:-|(?:\[(?:[^\]\\]|\\.)*\])+)(?: |$){MESSAGE}",
    "syslog": rf"(?:<(?P<priority>\d{{1,3}})>)?(?:"
    rf"(?P<timestamp>{MONTH} +\d{{1,2}} {CLOCK}(?:\.\d{{1,9}})?) (?!{LEVEL_WORD})(?P<host>\w\S*) {_SYSLOG_NAME}?|"
    rf"(?P<timestamp_>{DAY}T{CLOCK}(?:\.\d+)?{ZONE}) (?!{LEVEL_WORD})(?P<host_>\w\S*) "
    rf"{_SYSLOG_NAME.replace('service', 'service_')}){MESSAGE}",
    "iso": rf"\[?(?:{ISO}|(?P<timestamp_>{_DAY_FIRST}))\]?[ \t|]+"
    rf"(?:\[(?!{LEVEL_WORD})[^\]]*\][ \t]*)?"
    rf"(?:[\[(<]?{LEVEL}[\])>]?:?[ \t|-]*)?{MESSAGE}",
    "level_first": rf"[\[(<]?{LEVEL}[\])>]?[: \t|-]{{1,6}}\[?{ISO}\]?[: \t|-]{{0,6}}{MESSAGE}",
    "level": rf"(?:\[{LEVEL}\]|(?P<level_>{LEVEL_WORD}):) *{MESSAGE}",
    "plain": r"(?P<message>\S.*)",
}
