"""Pieces that the regular expressions of layouts share. Where they could take long, repetitions are bounded."""

MONTH = r"[A-Z][a-z]{2}"
CLOCK = r"\d\d:\d\d:\d\d"
DAY = r"\d{4}[-/]\d\d[-/]\d\d"
# Abbreviations that a word of the message could hardly be; which zone they mean is for --time-zone to say.
ABBREVIATION = (
    r"(?:ACDT|ACST|ADT|AEDT|AEST|AKDT|AKST|AST|AWST|BRT|BST|CAT|CDT|CEST|CET|CST|EAT|EDT|EEST|EET|EST|HKT|HST|IDT|IST|"
    r"JST|KST|MDT|MSK|MST|NZDT|NZST|PDT|PKT|PST|SAST|SGT|WAT|WEST|WET|WIB)"
)
ZONE = rf"(?: ?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?|{ABBREVIATION})\b)?+"  # never given back as a word of the message
ISO = rf"(?P<timestamp>{DAY}[T ]{CLOCK}(?:[.,]\d{{1,9}})?{ZONE})"
# Short forms are taken in capitals only: in small letters they are words of messages.
LEVEL_WORD = (
    r"(?:(?i:TRACE|DEBUG|VERBOSE|FINE(?:R|ST)?|CONFIG|INFO(?:RMATION(?:AL)?)?|NOTICE|SUCCESS|WARN(?:ING)?|ERR(?:OR)?|"
    r"SEVERE|CRIT(?:ICAL)?|FATAL|ALERT|EMERG(?:ENCY)?|PANIC)|TRC|VRB|DBG|INF|WRN|CRT|FTL)\b"
)
LEVEL = rf"(?P<level>{LEVEL_WORD})"
SERVICE = r"(?P<service>[^\s:]+)"
THREAD = r"(?:\[.{0,200}?\] )?"  # its name may hold brackets
MESSAGE = r"(?P<message>.*)"
