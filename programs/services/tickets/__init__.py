"""Writing, moving and talking about action tickets."""
