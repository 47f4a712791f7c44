from programs.models.demo_run import DemoRun

__all__ = ["DemoRun"]
