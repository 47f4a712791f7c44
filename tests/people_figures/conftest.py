from tests.delivery_oracle.conftest import told

__all__ = ["told"]
