"""Boards and rules as code, the generated JSON, provisioning and publishing."""
