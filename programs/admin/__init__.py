"""Django admin of the program: what it starts from (templates, the fiscal calendar); the program itself has pages."""
