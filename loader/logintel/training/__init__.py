"""Training of models on the lines of the attached log table.

Read in this order: dataset (lines and what models see of them), labels (what there is to learn), default_models,
default_scores (what training takes from them), candidates, evaluation, models, learning, command.
Importing this package or its command is cheap; `learning` brings scikit-learn along.
"""
