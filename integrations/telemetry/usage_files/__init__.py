"""Usage that local readers such as ccusage wrote to files."""
