"""Fixtures of the SDK's scenario."""

from harness.sdk import sdk

__all__ = ["sdk"]
