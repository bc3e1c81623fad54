"""Building of the default models, which ship in models/ and score lines from the first insert.

Read in this order: corpora (labelled lines), lexicon (how words relate to levels), linear (how a model is fitted),
build (`make models`). How training starts from a default model is in training/.
"""
