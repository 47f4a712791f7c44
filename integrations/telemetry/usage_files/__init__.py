"""Import of usage files from local readers such as ccusage."""
