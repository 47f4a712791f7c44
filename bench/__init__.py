"""How fast Headway is on this machine, beside the goals of the product and a limit measured in the same run."""
