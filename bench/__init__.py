"""Benchmarks:

how fast Headway is on this machine, compared with the product's goals and a limit measured in the same run.
"""
