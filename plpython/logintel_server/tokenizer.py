"""Token ids for transformers: made by the tokenizer that a model's metadata holds, with the library `tokenizers`.

The library is an extra of the server: it is imported where a model asks for it, and nowhere else.
"""

import os
from typing import Any

INPUTS = ("input_ids", "attention_mask")
"""Inputs of a graph that are made of `words` by the model's tokenizer: int64 [N, T]."""
FEATURE = "words"
MAX_TOKENS = 64
"""Tokens a shape, T at most: time and memory of a transformer grow with them."""


def open_tokenizer(described: str) -> Any:
    """Make a tokenizers.Tokenizer of its JSON, which says how text is lower-cased, split and cut.

    Raises ImportError without the library, and ValueError for a JSON that is none or does not cut at MAX_TOKENS.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # a backend computes on one core
    import tokenizers

    try:
        tokenizer = tokenizers.Tokenizer.from_str(described)
    except Exception as error:  # the library raises Exception itself
        raise ValueError(f"its tokenizer cannot be read: {error}") from None
    cut = tokenizer.truncation
    if not cut or cut["max_length"] > MAX_TOKENS:
        raise ValueError(f"its tokenizer has to cut at {MAX_TOKENS} tokens or fewer: set its truncation")
    tokenizer.no_padding()  # rows are run one by one
    return tokenizer


def token_inputs(tokenizer: Any, text: str) -> dict[str, Any]:
    """Return the INPUTS of one text: [1, T] each."""
    import numpy

    encoding = tokenizer.encode(text)
    return {
        "input_ids": numpy.array([encoding.ids], numpy.int64),
        "attention_mask": numpy.array([encoding.attention_mask], numpy.int64),
    }
