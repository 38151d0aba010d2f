"""Hooks only: each reads its event, calls one plain function and returns."""
