"""The push API: records that a pipeline sends.  docs/push.md."""
