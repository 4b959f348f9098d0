"""The shape of each status, beside its word and its colour; the style sheet gives the same ones to the tables."""

from __future__ import annotations

SHAPES = {
    "waiting": "○",
    "pending": "○",
    "running": "▶",
    "succeeded": "✓",
    "failed": "✕",
    "aborted": "■",
    "exception": "▲",
    "cancelled": "⊘",
    "skipped": "↷",
}
