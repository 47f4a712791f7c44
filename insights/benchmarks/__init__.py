"""Published benchmarks for comparison: a guide, never a verdict on a team.

Plain data and functions, without Django: bands.py defines bands, sets.py lists the published sets, remarks.py has dated
findings that are not thresholds, quick_check.py has the means of DORA's Quick Check by industry and size.
"""
