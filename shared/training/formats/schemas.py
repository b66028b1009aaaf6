"""Columns of each shape and what kind of value they hold."""

from shared.training.row import COLUMNS

_NOT_TEXT = {
    "occurred_at": "time",
    "weighed_at": "time",
    "quality": "number",
    "weight": "number",
    "reasons": "texts",
    "consent": "flag",
    "lineage": "json",
}
ROW_TYPES = {name: _NOT_TEXT.get(name, "text") for name in COLUMNS}
MESSAGE_COLUMNS = ("role", "content")
SHAPE_TYPES = {
    "rows": ROW_TYPES,
    "prompt-completion": {"prompt": "messages", "completion": "messages"},
    "preference": {"prompt": "messages", "chosen": "messages", "rejected": "messages"},
    "kto": {"prompt": "messages", "completion": "messages", "label": "flag"},
    "openai-chat": {"messages": "weighted"},
}
"""`weighted` messages have a weight beside role and content, null where nobody judged."""
