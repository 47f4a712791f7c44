"""Published figures beside which one's own are shown: a guide, never the truth for a team.

Plain data and functions, without Django: bands.py says what a band is, sets.py lists the published sets, remarks.py
has dated figures that are no thresholds, quick_check.py the means of DORA's Quick Check by industry and size.
"""
