"""What stands in the placeholders of a template: `{ip}`, `{user}`, ... and `{either|or}`.

Values that carry a digit disappear in the masked message; those that don't (users, tables, exceptions) stay and make
messages of one template differ, so the latter are drawn from short lists.
"""

import re
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import NamedTuple


class Moment(NamedTuple):
    """What the placeholders {status}, {ms}, {clock} and {date} of one line say."""

    time: datetime
    status: int | None
    response_time_ms: float | None


Maker = Callable[[Random, Moment], str]

_PLACEHOLDER = re.compile(r'\{([a-z0-9_]+|[^{}"]*\|[^{}"]*)\}')

_WORDS = {
    "user": "amara bjorn carmen dilnoza elif farid greta hyunwoo ines jakub katya lorenzo miriam nnamdi oskar priya "
            "quentin rosa sven tomoko ulrich vera wen ximena yusuf zofia",
    "admin": "root ops-admin release-bot dba breakglass",
    "domain": "larkshop.example mail.example partners.example fastpay.example parcelway.example",
    "table": "orders order_items customers shipments stock_levels price_rules audit_trail sessions",
    "column": "status customer_ref updated_at price_cents warehouse_code",
    "sql": "orders;customers JOIN addresses;stock_levels;order_items JOIN orders;price_rules;audit_trail",
    "java_exception": "IllegalStateException NullPointerException SocketTimeoutException OptimisticLockException "
                      "NumberFormatException ConcurrentModificationException",
    "python_exception": "KeyError ValueError TypeError AttributeError ConnectionResetError UnicodeDecodeError",
    "peer": "checkout payments accounts search inventory mailer recommender sso",
    "page": "/ /basket /offers /account/orders /help /search /wishlist",
    "verb": "GET POST PUT DELETE PATCH",
    "topic": "orders.placed orders.paid stock.moved mail.outbox clicks.raw prices.changed",
    "job": "nightly_sales_rollup customer_export stock_reconcile price_import invoice_archive click_sessionize",
    "bucket": "product-images invoice-archive db-backups user-uploads static-web",
    "namespace": "shop payments-prod data platform edge",
    "country": "DE FR IN BR JP NG SE US",
    "currency": "EUR USD GBP INR BRL",
    "feature": "instant-refund dark-checkout semantic-search slot-delivery gift-cards",
    "platform": "ios android web",
    "unit": "metrics-agent.service log-shipper.service ntp-client.service node-probe.service",
    "region": "north south central",
    "carrier": "parcelway quickvan alpinepost",
}  # fmt: skip

_PATHS = ("/api/orders/%d", "/api/items/%d", "/api/customers/%d/addresses", "/api/baskets/%d", "/api/search?q=%d",
          "/img/p/%d.webp")  # fmt: skip
_FILES = ("/srv/data/in/feed_%03d.csv", "/var/lib/app/seg-%05d.dat", "/srv/export/part-%04d.parquet",
          "/var/spool/jobs/%06d.job")  # fmt: skip
_AGENTS = ("LarkApp/%d.2", "curl/7.%d", "Firefox/%d.0", "okfetch/%d")


def _number(low: int, high: int) -> Maker:
    return lambda rng, _: str(low + int(rng.random() * (high - low + 1)))


def _spread(low: int, high: int) -> Maker:
    """Numbers of all magnitudes between low and high, small ones as often as large ones."""
    return lambda rng, _: str(int(low * (high / low) ** rng.random()))


def _hexadecimal(digits: int) -> Maker:
    """Hexadecimal digits that begin with a decimal one, so that they are always masked."""
    return lambda rng, _: f"{int(rng.random() * 10)}{rng.getrandbits(4 * (digits - 1)):0{digits - 1}x}"


def _formatted(form: str, bits: int) -> Maker:
    return lambda rng, _: form % rng.getrandbits(bits)


def _one_of(values: list[str]) -> Maker:
    return lambda rng, _: values[int(rng.random() * len(values))]


def _filled(forms: tuple[str, ...], high: int) -> Maker:
    return lambda rng, _: forms[int(rng.random() * len(forms))] % int(rng.random() * high)


def _uuid(rng: Random, _: Moment) -> str:
    bits = f"{rng.getrandbits(124):031x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[12:15]}-{bits[15:19]}-{bits[19:]}"


def _ip(rng: Random, _: Moment) -> str:
    bits = rng.getrandbits(24)
    return f"10.{bits >> 16}.{bits >> 8 & 255}.{bits & 255}"


def _public_ip(rng: Random, _: Moment) -> str:
    """Addresses of the networks that are reserved for documentation."""
    return f"{('192.0.2', '198.51.100', '203.0.113')[int(rng.random() * 3)]}.{rng.getrandbits(8)}"


def _milliseconds(_: Random, moment: Moment) -> str:
    return f"{moment.response_time_ms:.0f}" if moment.response_time_ms >= 10 else f"{moment.response_time_ms:.1f}"


_MAKERS: dict[str, Maker] = {
    "n": _number(1, 40),
    "few": _number(2, 9),
    "count": _spread(50, 200_000),
    "id": _number(100_000, 9_999_999),
    "order": _formatted("L%07d", 23),
    "pid": _number(300, 65_000),
    "port": _number(1_025, 65_535),
    "bytes": _spread(200, 40_000_000),
    "mb": _spread(1, 16_000),
    "gb": _number(2, 900),
    "pct": lambda rng, _: f"{rng.random() * 100:.1f}",
    "high_pct": lambda rng, _: f"{85 + rng.random() * 15:.1f}",
    "ratio": lambda rng, _: f"{rng.random():.2f}",
    "took": _spread(1, 400),
    "secs": _spread(2, 900),
    "offset": _spread(10_000, 900_000_000),
    "amount": lambda rng, _: f"{5 + rng.random() * 400:.2f}",
    "uuid": _uuid,
    "trace": _hexadecimal(16),
    "commit": _hexadecimal(7),
    "address": lambda rng, _: f"0x{rng.getrandbits(47):012x}",
    "sha": _hexadecimal(32),
    "mac": lambda rng, _: f"02:00:5e:{rng.getrandbits(8):02x}:{rng.getrandbits(8):02x}:{rng.getrandbits(8):02x}",
    "ip": _ip,
    "public_ip": _public_ip,
    "server": lambda rng, _: f"{('app', 'db', 'edge', 'kv')[rng.getrandbits(2)]}-{1 + rng.getrandbits(4):02d}",
    "node": _formatted("node-%02d", 5),
    "pod": lambda rng, moment: f"{_PEER(rng, moment)}-{_POD_SET(rng, moment)}-{_POD(rng, moment)}",
    "version": lambda rng, _: f"{1 + rng.getrandbits(2)}.{rng.getrandbits(4)}.{rng.getrandbits(3)}",
    "path": _filled(_PATHS, 90_000),
    "file": _filled(_FILES, 100_000),
    "agent": _filled(_AGENTS, 120),
    "customer": _formatted("c-%06d", 20),
    "session": _hexadecimal(12),
    "thread": _number(1, 64),
    "partition": _number(0, 23),
    "disk": _one_of(["sda1", "sdb1", "nvme0n1", "nvme1n1", "md0"]),
    "iface": _one_of(["eth0", "eth1", "bond0"]),
    "status": lambda _, moment: str(moment.status),
    "ms": _milliseconds,
    "clock": lambda _, moment: f"{moment.time:%H:%M:%S}",
    "date": lambda _, moment: f"{moment.time:%Y-%m-%d}",
}
_MAKERS |= {name: _one_of(words.split(";" if ";" in words else None)) for name, words in _WORDS.items()}
_PEER, _POD_SET, _POD = _MAKERS["peer"], _hexadecimal(9), _hexadecimal(5)


def placeholders(message: str) -> list[str]:
    """Return the insides of the placeholders of a template's message, in order."""
    return _PLACEHOLDER.findall(message)


def compile_message(message: str) -> Maker:
    """Return the function that fills the placeholders of `message`. Raises ValueError for an unknown one."""
    makers = [_maker(inside) for inside in placeholders(message)]
    form = _PLACEHOLDER.sub("%s", message.replace("%", "%%"))
    return lambda rng, moment: form % tuple([make(rng, moment) for make in makers])


def _maker(inside: str) -> Maker:
    if "|" in inside:
        return _one_of(inside.split("|"))
    try:
        return _MAKERS[inside]
    except KeyError:
        raise ValueError(f"no placeholder {{{inside}}}; there are {' '.join(sorted(_MAKERS))}") from None
