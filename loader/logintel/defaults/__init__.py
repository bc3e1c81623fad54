"""Building of the default models, which ship in models/ and score lines from the first insert.

Read in this order: corpora (labelled lines), lexicon (how words relate to levels and modules), linear (how a model is
fitted), recipes (what each is made of), build (`make models`). How training starts from one is in training/.
"""
