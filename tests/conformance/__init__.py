"""Watchpost against public test data whose right answers are known. docs/conformance.md explains it."""
