"""Retraining: models trained again, kept out where they are worse than what is in force, and promoted as configured.

Read in this order: gates (when a model is worse), in_force (what it is compared with), comparison, run, command.
"""
