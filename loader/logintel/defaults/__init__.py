"""The default models: they ship in models/ and score lines from the first insert; training starts from them.

Read in this order: corpora (labelled lines), lexicon (how words relate to levels), linear (how a model is fitted),
build (`make models`), shipped (the files), scores (what training takes from a default model).
"""
