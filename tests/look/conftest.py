from tests.journeys.conftest import browser, windows

__all__ = ["browser", "windows"]
