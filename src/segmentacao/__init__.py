"""Numeric core of the customer segmentation: clustering and its evidence.

Pure functions over NumPy arrays and Arrow tables; nothing here imports dbt or
a database.
"""
