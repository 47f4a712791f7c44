"""Every figure of four organisations in one sorted text: the same before and after the engine is changed.

    python -m tests.golden OUT [--of demo|random-1|random-2|random-3|all]
    python -m tests.golden --compare A B

The demo comes through the real intake, the random organisations from the generators of the oracles.  Each line is one
figure, seven fields and what was answered, apart by tabs:

    organisation  metric  statistic  scope  window  segment  question  value=… numerator=… sample=… reason=…

Units stand by slug and people by address, never by id, and whatever is nothing or 0 beside `value` is left out.  What
measures (value, numerator, denominator, low, high and the like) is printed as `repr` of a float, so with a point; the
comparison takes it as equal within a relative 1e-12.  Counts (sample, people, left_out), words and days are printed
without a point, and compared exactly.

The random organisations give the same bytes in every run.  Of the demo some hundred session durations differ in the
last digit, for their seconds are added up in the order in which the intake stored them: compare, where hashes differ.
"""
