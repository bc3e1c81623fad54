"""What a benchmark yields, and what is asked of it."""

import operator
from dataclasses import dataclass, field


class Failed(Exception):
    """A benchmark that has no figure to give: says in one line why."""


@dataclass(frozen=True)
class Result:
    """One figure: its name never changes, so that runs can be compared.

    `baselines` holds what it was measured against, and what else belongs to it; each name says its unit unless it is
    the figure's own.
    """

    name: str
    value: float
    unit: str
    baselines: dict[str, float] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """The target in words, '' where there is none."""
        return "{} {}".format(*TARGETS[self.name]) if self.name in TARGETS else ""

    @property
    def is_missed(self) -> bool:
        """Whether there is a target and the figure misses it."""
        if self.name not in TARGETS:
            return False
        sign, limit = TARGETS[self.name]
        limit = self.baselines[limit] if isinstance(limit, str) else limit
        return not {">=": operator.ge, "<=": operator.le, "<": operator.lt}[sign](self.value, limit)

    @property
    def higher_is_better(self) -> bool:
        """Whether more of it is better: of throughput, and of what others take for what takes us one."""
        return self.unit in ("lines/s", "ratio of throughput", "ratio of time")


TARGETS = {
    "bulk_known_vs_noop": (">=", 0.80),
    "one_row_vs_noop": (">=", 0.80),
    "one_row_durable_vs_noop": (">=", 0.95),
    "one_row_vs_none": (">=", 0.70),
    "bulk_new_us_over_noop": ("<=", 70),
    "bytes_per_prediction": ("<=", 120),
    "serializable_failed_over_noop": ("<=", 1),
    "locks_new_shape": ("<", 60),
    "drop_days_wait_ms": ("<=", 50),
    "bytes_per_prediction_one_row": ("<=", 120),
    "vs_external_batch": (">=", 3),
    "vs_external_row": (">=", 500),
    "vs_pickle_trigger": (">=", 500),
    "connect_known_ms": ("<=", 3),
    "connect_known_mb": ("<=", 1),
    "connect_new_ms": ("<=", 15),
    "connect_new_mb": ("<=", 6),
    "connect_200": ("<=", 1200),
    "connect_200_ms": ("<=", 2000),
    "one_new_vs_onnx": (">=", 2.5),
    "linear_model_mb": ("<=", 3),
    "linear_model_s": ("<=", 1),
    "rescore_vs_brute_force": (">=", 5),
    "contention_max_wait_ms": ("<=", "noop"),
    "free_text_known_vs_before": (">=", 0.9),
    "views_10m_ms": ("<=", 50),
    "views_filtered_ms": ("<=", 20),
    "insert_10m_vs_100k": (">=", 0.9),
    "retention_day_ms": ("<", 300),
    "upkeep_minute_ms": ("<=", 500),
    "free_text_seconds": ("<=", 150),
    "after_deploy_ratio": ("<=", 1.5),
    "mixed_batches_ratio": ("<=", 1.5),
    "stale_plan_ratio": ("<=", 1.5),
}
"""What is asked of a figure: at least or at most a number, or one of its baselines."""
